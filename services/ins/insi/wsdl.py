"""The description of the service, as `/lps?wsdl` serves it: one document, schemas inside."""

from functools import cache
from importlib.resources import files

from lxml import etree

WSDL_SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"


@cache
def wsdl(address: str) -> bytes:
    """With the address at which this caller reaches the service."""
    source = files("services.ins.insi") / "contract" / "ICIR-v1.wsdl"
    root = etree.fromstring(source.read_bytes())
    [place] = root.iter(f"{{{WSDL_SOAP12}}}address")
    place.set("location", address)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
