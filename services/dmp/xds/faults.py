"""SOAP faults of the DMP's door: what is wrong with the message, not with its documents.

`DMPInvalidCertificate` was seen (spec: dmp.md §1.8); the DMP's own list is not public, so every other
subcode here begins with `Socle`, which no client can mistake for an official one.
"""

from collections.abc import Sequence

from lxml import etree
from starlette.responses import Response

from socle.errors import Category, DomainError
from socle.http.render import SOAP_12, Renderer
from socle.idgen import random_uuid
from socle.problems import Problem
from socle.soap.mtom import write_multipart
from socle.xds.names import SOAP12, WSA

SOCLE_ERROR = "urn:socle:error"
FAULT_ACTION = f"{WSA}/soap/fault"
ADDRESSING_ACTION = f"{WSA}/fault"


class DmpFault(DomainError):
    """`subcode` is a local name, of WS-Addressing if `addressing`; `relates_to` is echoed; `soap_code` is
    one of SOAP 1.2 Part 1 §5.4.6, where it is neither Sender nor Receiver."""

    def __init__(
        self,
        subcode: str,
        reason: str,
        problems: Sequence[Problem] = (),
        *,
        relates_to: str = "",
        addressing: bool = False,
        category: Category = Category.INCORRECT,
        soap_code: str = "",
    ) -> None:
        super().__init__(category, subcode, reason, problems=problems)
        self.relates_to = relates_to
        self.addressing = addressing
        self.soap_code = soap_code or self.mapped.soap


def fault_renderer(*, multipart: bool) -> Renderer:
    """The repository answers in multipart, faults included (spec: dmp.md §1.1)."""

    def render(error: DomainError, _correlation_id: str) -> Response:
        status = error.status if error.status in (405, 413, 415, 503) else 500
        envelope = fault_bytes(error)
        if multipart:
            content_type, body = write_multipart(envelope, (), FAULT_ACTION)
            return Response(body, status, {**error.headers, "Content-Type": content_type})
        return Response(envelope, status, {**error.headers, "Content-Type": SOAP_12})

    return render


def fault_bytes(error: DomainError) -> bytes:
    known = error if isinstance(error, DmpFault) else None
    addressing = known is not None and known.addressing
    root = etree.Element(f"{{{SOAP12}}}Envelope", nsmap={"soap": SOAP12, "wsa": WSA})
    header = etree.SubElement(root, f"{{{SOAP12}}}Header")
    action = etree.SubElement(header, f"{{{WSA}}}Action")
    action.text = ADDRESSING_ACTION if addressing else FAULT_ACTION
    etree.SubElement(header, f"{{{WSA}}}MessageID").text = f"urn:uuid:{random_uuid()}"
    if known and known.relates_to:
        etree.SubElement(header, f"{{{WSA}}}RelatesTo").text = known.relates_to
    fault = etree.SubElement(etree.SubElement(root, f"{{{SOAP12}}}Body"), f"{{{SOAP12}}}Fault")
    code = _child(fault, "Code")
    _child(code, "Value").text = f"soap:{known.soap_code if known else error.mapped.soap}"
    subcode = _child(_child(code, "Subcode"), "Value")
    subcode.text = f"{'wsa' if addressing else 'soap'}:{error.code}"
    text = _child(_child(fault, "Reason"), "Text")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "fr")
    text.text = error.detail
    detail = _child(fault, "Detail")
    for problem in error.problems:
        found = etree.SubElement(detail, f"{{{SOCLE_ERROR}}}problem", nsmap={"socle": SOCLE_ERROR})
        for name in ("rule", "path", "expected", "source"):
            if value := getattr(problem, name):
                found.set(name, value)
        found.text = problem.message
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{SOAP12}}}{name}")
