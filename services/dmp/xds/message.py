"""One SOAP message of XDS.b: envelope, WS-Addressing, body, attachments (spec: dmp.md §1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from services.dmp.xds.faults import DmpFault
from socle.idgen import random_uuid
from socle.problems import Problem
from socle.soap.mtom import SoapBody, UnreadableMultipartError, read_soap_body
from socle.soap.parsing import UnreadableXmlError, parse_xml, text_of
from socle.xds.names import SOAP11, SOAP12, WSA, WSSE, WSU

MAX_DEPTH = 64
_UNDERSTOOD = frozenset({WSA, WSSE, WSU})
_OUR_ROLES = frozenset({
    "", f"{SOAP12}/role/next", f"{SOAP12}/role/ultimateReceiver",
    "http://schemas.xmlsoap.org/soap/actor/next",
})  # fmt: skip
SOURCE = "WS-Addressing 1.0 SOAP Binding §3; spec: dmp.md §1.1"
_MISSING = "A required header representing a Message Addressing Property is not present"


@dataclass(frozen=True, slots=True)
class Message:
    """`body` is the one element of the SOAP body."""

    action: str
    message_id: str
    headers: tuple[etree._Element, ...] = field(repr=False)
    body: etree._Element = field(repr=False)
    raw: SoapBody = field(repr=False)
    soap: str = SOAP12
    """The namespace of the envelope: an answer has the same."""


def read_message(
    content_type: str, content: bytes, *, addressed: bool, lenient: bool = False
) -> Message:
    """`addressed` says whether every header of WS-Addressing must be there; a `lenient` reader takes
    SOAP 1.1, which one of the kit's samples is written in."""
    try:
        raw = read_soap_body(content_type, content)
        root = parse_xml(raw.root, "DMP", MAX_DEPTH)
    except (UnreadableMultipartError, UnreadableXmlError) as error:
        raise DmpFault(
            "SocleMessage", "Le message SOAP ne peut pas être lu.", [error.problem]
        ) from None
    soap = SOAP11 if lenient and root.tag == f"{{{SOAP11}}}Envelope" else SOAP12
    headers, body = _parts(root, soap)
    found = {
        name: text_of(header)
        for header in headers
        for name in ("Action", "MessageID", "To", "ReplyTo")
        if header.tag == f"{{{WSA}}}{name}"
    }
    message_id = found.get("MessageID", "")
    if addressed:
        _require_addressing(headers, found, message_id)
    action = found.get("Action", "")
    _require_understood(headers, message_id)
    return Message(action or raw.action, message_id, headers, body, raw, soap)


def require_action(message: Message, served: Sequence[str]) -> str:
    """Of XDS: the WSDL of `habilitations` gives other actions than its messages bear."""
    told = message.raw.action
    if message.action and told and message.action != told:
        raise _addressing("ActionMismatch", "Action", f"the media type says {told[:100]}",
                          "the same as wsa:Action, or no action parameter",
                          message.message_id)  # fmt: skip
    if message.action not in served:
        raise _addressing(
            "ActionNotSupported",
            "Action",
            "this service has no such action",
            " or ".join(served),
            message.message_id,
        )
    return message.action


def write_message(action: str, relates_to: str, body: etree._Element, soap: str = SOAP12) -> bytes:
    """`action` is that of the answer."""
    root = etree.Element(f"{{{soap}}}Envelope", nsmap={"soap": soap, "wsa": WSA})
    header = etree.SubElement(root, f"{{{soap}}}Header")
    answered = etree.SubElement(header, f"{{{WSA}}}Action")
    answered.set(f"{{{soap}}}mustUnderstand", "true" if soap == SOAP12 else "1")
    answered.text = action
    etree.SubElement(header, f"{{{WSA}}}MessageID").text = f"urn:uuid:{random_uuid()}"
    if relates_to:
        etree.SubElement(header, f"{{{WSA}}}RelatesTo").text = relates_to
    etree.SubElement(root, f"{{{soap}}}Body").append(body)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _parts(root: etree._Element, soap: str) -> tuple[tuple[etree._Element, ...], etree._Element]:
    if root.tag == f"{{{SOAP11}}}Envelope" and soap != SOAP11:
        raise DmpFault(
            "SocleVersion", "Le DMP parle SOAP 1.2.", [of_version()], soap_code="VersionMismatch"
        )
    bodies = root.findall(f"{{{soap}}}Body")
    contents = [one for body in bodies for one in body if isinstance(one.tag, str)]
    if root.tag != f"{{{soap}}}Envelope" or len(bodies) != 1 or len(contents) != 1:
        problem = Problem(
            "DMP-SOAP-ENVELOPE", "/Envelope/Body", "no SOAP 1.2 envelope of one body element",
            "soap:Envelope/soap:Body with one element", source="SOAP 1.2 Part 1 §5",
        )  # fmt: skip
        raise DmpFault("SocleMessage", "Le message n'est pas une enveloppe SOAP 1.2.", [problem])
    headers = [
        one
        for header in root.findall(f"{{{soap}}}Header")
        for one in header
        if isinstance(one.tag, str)
    ]
    return tuple(headers), contents[0]


def of_version() -> Problem:
    return Problem("DMP-SOAP-VERSION", "/Envelope", "SOAP 1.1", SOAP12, source=SOURCE)


def _require_understood(headers: Sequence[etree._Element], message_id: str) -> None:
    """A header that must be understood and is not ends the message (SOAP 1.2 Part 1 §2.4, §5.4.8)."""
    for header in headers:
        must = header.get(f"{{{SOAP12}}}mustUnderstand") or header.get(
            f"{{{SOAP11}}}mustUnderstand"
        )
        role = header.get(f"{{{SOAP12}}}role") or header.get(f"{{{SOAP11}}}actor") or ""
        name = etree.QName(header)
        if must in ("1", "true") and role in _OUR_ROLES and name.namespace not in _UNDERSTOOD:
            problem = Problem(
                "DMP-SOAP-MUST-UNDERSTAND", f"/Envelope/Header/{name.localname[:60]}",
                "this header is not known here and must be understood",
                "headers of WS-Addressing 2005/08 and WS-Security 2004, or mustUnderstand=false",
                source="SOAP 1.2 Part 1 §5.4.8",
            )  # fmt: skip
            raise DmpFault(
                "SocleHeader", "Un en-tête obligatoire n'est pas compris.", [problem],
                relates_to=message_id, soap_code="MustUnderstand",
            )  # fmt: skip


def _require_addressing(
    headers: Sequence[etree._Element], found: dict[str, str], message_id: str
) -> None:
    # ReplyTo is anonymous by default, and a client of the ANS that speaks with the DMP leaves it out;
    # the kit's own examples have an empty To.
    for name in ("Action", "MessageID", "To", "ReplyTo"):
        count = sum(header.tag == f"{{{WSA}}}{name}" for header in headers)
        if count > 1:
            raise _addressing(
                "InvalidCardinality", name, f"it is there {count} times", "once", message_id
            )
        if (name in ("Action", "MessageID") and not found.get(name)) or (
            name == "To" and not count
        ):
            raise _addressing(
                "MessageAddressingHeaderRequired", name, "it is missing or empty", "once",
                message_id,
            )  # fmt: skip


def _addressing(subcode: str, name: str, message: str, expected: str, message_id: str) -> DmpFault:
    path = f"/Envelope/Header/{name}"
    problem = Problem(f"DMP-WSA-{subcode}", path, message, expected, source=SOURCE)
    reason = _MISSING if subcode == "MessageAddressingHeaderRequired" else f"wsa:{subcode}"
    return DmpFault(subcode, reason, [problem], relates_to=message_id, addressing=True)
