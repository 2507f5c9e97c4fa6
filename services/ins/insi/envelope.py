"""Reads a SOAP 1.2 envelope: safely, and without correcting anything."""

from dataclasses import dataclass

from lxml import etree

from services.ins.insi.faults import XML_REFUSED, InsiFault
from services.ins.insi.names import SOAP
from socle.problems import Problem
from socle.soap.mtom import looks_multipart
from socle.soap.parsing import UnreadableXmlError, parse_xml


@dataclass(frozen=True)
class Envelope:
    headers: tuple[etree._Element, ...]
    root: etree._Element


def parse_envelope(body: bytes) -> Envelope:
    """No DTD, no entity, no network; SOAP 1.2 Part 1 §5 forbids a DTD in a message anyway."""
    if looks_multipart(body):
        raise _refused(
            "INS-SOAP-MULTIPART", "/", "the message is multipart, as MTOM makes it",
            "application/soap+xml, the envelope alone: MTOM off in the client",
        )  # fmt: skip
    root = _parse(body)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise _refused(
            "INS-SOAP-ENVELOPE", "/", "the root is no SOAP 1.2 envelope", f"{{{SOAP}}}Envelope"
        )
    header_parts = root.findall(f"{{{SOAP}}}Header")
    bodies = root.findall(f"{{{SOAP}}}Body")
    if len(header_parts) > 1 or len(bodies) != 1:
        raise _refused(
            "INS-SOAP-PARTS",
            "/Envelope",
            f"{len(header_parts)} Header and {len(bodies)} Body elements",
            "at most one Header and exactly one Body",
        )
    contents = _elements(bodies[0])
    if len(contents) != 1:
        raise _refused(
            "INS-SOAP-BODY",
            "/Envelope/Body",
            f"the body holds {len(contents)} elements",
            "exactly one element, RECSANSVITALE or RECVITALE",
        )
    headers = tuple(_elements(header_parts[0])) if header_parts else ()
    return Envelope(headers, contents[0])


def _parse(body: bytes) -> etree._Element:
    try:
        return parse_xml(body, "INS")
    except UnreadableXmlError as error:
        raise InsiFault(XML_REFUSED, [error.problem]) from None


def _elements(parent: etree._Element) -> list[etree._Element]:
    return [child for child in parent if isinstance(child.tag, str)]


def _refused(rule: str, path: str, message: str, expected: str) -> InsiFault:
    return InsiFault(
        XML_REFUSED, [Problem(rule, path, message, expected, source="SOAP 1.2 Part 1 §5")]
    )
