"""A CDA document as a page for people: `reading.xsl` writes only elements that it names."""

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from lxml import etree

from socle.cda.xml import XML_SOURCE, MalformedCdaError, parse_document
from socle.problems import Problem

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; object-src data:; "
    "frame-src data:; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of such a page: whatever a document holds, nothing of it runs."""


def reading_page(content: bytes) -> bytes:
    """HTML. Raises MalformedCdaError for what is no CDA document, or nests too deeply to be shown."""
    root = parse_document(content)
    try:
        page = _stylesheet()(root, style=etree.XSLT.strparam(_style()))
    except etree.XSLTApplyError:
        problem = Problem("CDA-XML-limit", "/", "les éléments sont trop imbriqués pour être montrés",
                          "un document qu'une personne peut lire", source=XML_SOURCE)  # fmt: skip
        raise MalformedCdaError([problem]) from None
    return etree.tostring(page, method="html", encoding="UTF-8", doctype="<!DOCTYPE html>")


@lru_cache
def _stylesheet() -> etree.XSLT:
    source = files(__package__).joinpath("reading.xsl").read_bytes()
    # The stylesheet is ours and reads one document: neither files nor network are its business.
    controls: Any = etree.XSLTAccessControl  # whose stubs lack its constants
    return etree.XSLT(etree.fromstring(source), access_control=controls.DENY_ALL)


@lru_cache
def _style() -> str:
    return files(__package__).joinpath("reading.css").read_text(encoding="utf-8")
