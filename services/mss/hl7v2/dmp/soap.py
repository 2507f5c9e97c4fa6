"""What goes over the wire to the DMP, and what its answers say (spec: dmp.md §1.1, §1.8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lxml import etree

from socle.idgen import random_uuid
from socle.soap.mtom import UnreadableMultipartError, read_soap_body
from socle.soap.parsing import UnreadableXmlError, parse_xml
from socle.xds import names
from socle.xds.ebrim import RegistryObject, read_objects
from socle.xds.entry import add_slot, rim
from socle.xds.names import LCM, QUERY, RIM, RS, SOAP12, WSA
from socle.xds.sets import write_set
from socle.xds.submission_set import SubmissionSet

GET_DOCUMENTS: Final = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
_MAX_DEPTH: Final = 64
_BUSY: Final = frozenset(
    {"XDSRegistryBusy", "XDSRepositoryBusy", "XDSRegistryOutOfResources",
     "XDSRepositoryOutOfResources", "XDSRegistryNotAvailable"}
)  # fmt: skip
"""The codes of ITI TF-3 that promise nothing and ask to come again."""


class DmpAway(Exception):
    """The DMP gave no answer, or one that asks to come again. The text names no person."""


class DmpRefused(Exception):
    """`code` is the DMP's own; `text` is what it says to people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Registered:
    """A document as the registry shows it: `entry_id` is its entryUUID, `status` a name of STATUSES."""

    entry_id: str
    status: str


def envelope(action: str, to: str, security: etree._Element, body: etree._Element) -> bytes:
    root = etree.Element(f"{{{SOAP12}}}Envelope", nsmap={"soap": SOAP12, "wsa": WSA})
    header = etree.SubElement(root, f"{{{SOAP12}}}Header")
    told = etree.SubElement(header, f"{{{WSA}}}Action")
    told.set(f"{{{SOAP12}}}mustUnderstand", "true")
    told.text = action
    etree.SubElement(header, f"{{{WSA}}}MessageID").text = f"urn:uuid:{random_uuid()}"
    etree.SubElement(header, f"{{{WSA}}}To").text = to
    reply = etree.SubElement(header, f"{{{WSA}}}ReplyTo")
    etree.SubElement(reply, f"{{{WSA}}}Address").text = f"{WSA}/anonymous"
    header.append(security)
    etree.SubElement(root, f"{{{SOAP12}}}Body").append(body)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def query_by_unique_id(unique_id: str) -> etree._Element:
    """TD3.1b: from the identifier that a producer knows to the registry's."""
    body = etree.Element(f"{{{QUERY}}}AdhocQueryRequest", nsmap={"query": QUERY, "rim": RIM})
    etree.SubElement(
        body, f"{{{QUERY}}}ResponseOption", returnComposedObjects="true", returnType="LeafClass"
    )
    query = rim(body, "AdhocQuery", id=GET_DOCUMENTS)
    quoted = unique_id.replace("'", "''")
    add_slot(query, "$XDSDocumentEntryUniqueId", (f"('{quoted}')",))
    return body


def deletion(
    submission: SubmissionSet, set_id: UUID, documents: Sequence[Registered]
) -> etree._Element:
    """TD3.3c: UpdateAvailabilityStatus of each document, in a set of its own."""
    body = etree.Element(f"{{{LCM}}}SubmitObjectsRequest", nsmap={"lcm": LCM, "rim": RIM})
    objects = rim(body, "RegistryObjectList")
    write_set(objects, set_id, submission)
    for number, document in enumerate(documents):
        one = rim(
            objects, "Association", id=f"Deletes{number}", objectType=names.ASSOCIATION,
            associationType=names.UPDATES_STATUS, sourceObject=f"urn:uuid:{set_id}",
            targetObject=document.entry_id,
        )  # fmt: skip
        add_slot(one, "OriginalStatus", (names.STATUSES[document.status],))
        add_slot(one, "NewStatus", (names.STATUSES["Deleted"],))
    return body


def read_answer(status: int, content_type: str, content: bytes) -> etree._Element:
    """The one element of the body. DmpAway for what is no answer of the DMP, DmpRefused for a fault of
    the sender's and for a Failure of the registry."""
    try:
        root = parse_xml(read_soap_body(content_type, content).root, "DMP-ANSWER", _MAX_DEPTH)
    except (UnreadableMultipartError, UnreadableXmlError):
        raise DmpAway(f"HTTP {status} without a SOAP message") from None
    body = next(iter(root.findall(f"{{{SOAP12}}}Body")), None)
    answer = None if body is None else next((it for it in body if isinstance(it.tag, str)), None)
    if answer is None:
        raise DmpAway(f"HTTP {status} without a SOAP body")
    if answer.tag == f"{{{SOAP12}}}Fault":
        _raise_fault(status, answer)
    if status >= 400:
        raise DmpAway(f"HTTP {status}")
    response = answer if answer.get("status") else answer.find(f"{{{RS}}}RegistryResponse")
    if response is None or not response.get("status"):
        raise DmpAway("the answer has no status")
    if response.get("status") != names.SUCCESS:
        _raise_failure(response)
    return answer


def registered_in(answer: etree._Element) -> Iterator[Registered]:
    """The documents of an AdhocQueryResponse; one that stands first is in force."""
    objects = answer.find(f"{{{RIM}}}RegistryObjectList")
    found: list[RegistryObject] = [] if objects is None else list(read_objects(objects).documents)
    order = list(names.STATUSES)
    known = [
        Registered(it.id, names.STATUS_OF[it.status])
        for it in found
        if it.status in names.STATUS_OF
    ]
    yield from sorted(known, key=lambda it: order.index(it.status))


def _raise_fault(status: int, fault: etree._Element) -> None:
    value = f"{{{SOAP12}}}Value"
    code = fault.findtext(f"{{{SOAP12}}}Code/{value}", "").rpartition(":")[2]
    subcode = fault.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Subcode/{value}", "").rpartition(":")[2]
    reason = fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text", "")
    if code != "Sender" or status in (408, 429, 503):
        raise DmpAway(f"SOAP fault {subcode or code}")
    raise DmpRefused(subcode or code, reason)


def _raise_failure(response: etree._Element) -> None:
    errors = [
        (one.get("errorCode", ""), one.get("codeContext", ""))
        for one in response.iterfind(f".//{{{RS}}}RegistryError")
        if one.get("severity", names.ERROR) != names.WARNING
    ]
    if not errors:
        raise DmpRefused("XDSRegistryError", "")
    if all(code in _BUSY for code, _ in errors):
        raise DmpAway(errors[0][0])
    code, text = errors[0]
    more = f" (+{len(errors) - 1})" if len(errors) > 1 else ""
    raise DmpRefused(code, f"{text}{more}")
