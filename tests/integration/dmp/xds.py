"""XDS.b messages as a client writes them: envelopes, lots, queries, multipart bodies."""

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from email.message import Message as MimeHeaders
from typing import Any
from urllib.parse import quote

import httpx
from lxml import etree

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.idgen import oid_from_uuid, random_uuid
from socle.soap.mtom import XOP
from socle.xds import names
from socle.xds.document_entry import Coded, DocumentEntry, entry_of
from socle.xds.entry import ObjectWriter, add_slot, add_text, rim
from socle.xds.names import LCM, QUERY, RIM, RS, SOAP12, WSA, XDSB

from .samples import ANNE, Document, document

BASE = "/si-dmp-server/v2/services"
NS = {
    "soap": SOAP12, "wsa": WSA, "rim": RIM, "rs": RS, "query": QUERY, "xdsb": XDSB, "xop": XOP,
    "socle": "urn:socle:error",
}  # fmt: skip
FIND_DOCUMENTS = "14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS = "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
SIGNATURE = b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>"


def entry_for(given: Document) -> DocumentEntry:
    metadata = metadata_of(read_header(given.content), given.content)
    return entry_of(metadata, given.ins)


def envelope(
    action: str, body: etree._Element, *extra: etree._Element, without: Sequence[str] = ()
) -> bytes:
    """`without` names headers of WS-Addressing that are left out."""
    root = etree.Element(f"{{{SOAP12}}}Envelope", nsmap={"s": SOAP12, "a": WSA})
    header = etree.SubElement(root, f"{{{SOAP12}}}Header")
    for name, value in (
        ("Action", action),
        ("MessageID", f"urn:uuid:{random_uuid()}"),
        ("To", "http://localhost/services"),
    ):
        if name not in without:
            etree.SubElement(header, f"{{{WSA}}}{name}").text = value
    if "ReplyTo" not in without:
        reply = etree.SubElement(header, f"{{{WSA}}}ReplyTo")
        etree.SubElement(reply, f"{{{WSA}}}Address").text = f"{WSA}/anonymous"
    header.extend(extra)
    etree.SubElement(root, f"{{{SOAP12}}}Body").append(body)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


@dataclass
class Lot:
    """A lot of ITI-41. `changes` are of the first entry, not of the set that takes its author."""

    documents: list[Document] = field(default_factory=lambda: [document()])
    entries: list[DocumentEntry] = field(default_factory=list)
    signed: bool = True
    unique_id: str = field(default_factory=lambda: oid_from_uuid(random_uuid()))
    patient_id: str = ANNE.cx
    members: bool = True
    relations: Sequence[tuple[str, str]] = ()  # kind and entryUUID, of the first document
    ids: Sequence[str] = ()  # of the ExtrinsicObjects, where the client chooses them
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entries = self.entries or [entry_for(one) for one in self.documents]

    def body(self) -> etree._Element:
        request = etree.Element(f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest")
        submit = etree.SubElement(request, f"{{{LCM}}}SubmitObjectsRequest")
        objects = etree.SubElement(submit, f"{{{RIM}}}RegistryObjectList")
        self._set(objects)
        written = [replace(self.entries[0], **self.changes), *self.entries[1:]]
        names_ = self._names()
        for name, entry in zip(names_, written, strict=True):
            self._document(objects, name, entry)
        for number, (kind, target) in enumerate(self.relations):
            rim(
                objects, "Association", id=f"Relation{number}", associationType=kind,
                sourceObject=names_[0], targetObject=target,
            )  # fmt: skip
        if self.signed:
            self._document(objects, "Signature01", self._signature())
        for identifier in self.contents():
            document = etree.SubElement(request, f"{{{XDSB}}}Document", id=identifier)
            href = quote(f"{identifier}@client", safe="")
            etree.SubElement(document, f"{{{XOP}}}Include", href=f"cid:{href}")
        return request

    def contents(self) -> dict[str, bytes]:
        found = {name: one.content for name, one in zip(self._names(), self.documents, strict=True)}
        return {**found, "Signature01": SIGNATURE} if self.signed else found

    def _names(self) -> list[str]:
        return list(self.ids) or [f"Document{n:02}" for n in range(1, len(self.documents) + 1)]

    def message(self, *extra: etree._Element) -> tuple[str, bytes]:
        root = envelope(names.PROVIDE, self.body(), *extra)
        return mtom(root, {f"{name}@client": one for name, one in self.contents().items()})

    def _set(self, objects: etree._Element) -> None:
        package = rim(objects, "RegistryPackage", id="SubmissionSet01")
        add_slot(package, "submissionTime", ("20221115093000",))
        add_text(package, "Name", "Lot de test")
        writer = ObjectWriter(package, "SubmissionSet01")
        writer.node(names.SET_NODE)
        writer.author(names.SET_AUTHOR, self.entries[0].authors[0])
        writer.code(names.SET_CONTENT_TYPE, replace(self.entries[0].class_code, code="03"))
        writer.external(names.SET_PATIENT, self.patient_id, "XDSSubmissionSet.patientId")
        writer.external(names.SET_SOURCE, "1.2.250.1.999.1", "XDSSubmissionSet.sourceId")
        writer.external(names.SET_UNIQUE_ID, self.unique_id, "XDSSubmissionSet.uniqueId")

    def _document(self, objects: etree._Element, identifier: str, entry: DocumentEntry) -> None:
        element = rim(
            objects, "ExtrinsicObject", id=identifier, objectType=names.STABLE,
            mimeType=entry.mime_type,
        )  # fmt: skip
        for name, value in (
            ("creationTime", entry.creation_time), ("hash", entry.hash),
            ("languageCode", entry.language), ("legalAuthenticator", entry.legal_authenticator),
            ("serviceStartTime", entry.service_start), ("size", str(entry.size)),
            ("sourcePatientId", entry.source_patient_id),
        ):  # fmt: skip
            if value:
                add_slot(element, name, (value,))
        if entry.reference_ids:
            add_slot(element, names.REFERENCE_IDS, entry.reference_ids)
        add_text(element, "Name", entry.title)
        writer = ObjectWriter(element, identifier)
        for author in entry.authors:
            writer.author(names.AUTHOR, author)
        codes = (
            (names.CLASS_CODE, (entry.class_code,)), (names.TYPE_CODE, (entry.type_code,)),
            (names.FORMAT_CODE, (entry.format_code,)),
            (names.FACILITY_TYPE, (entry.facility_type,)),
            (names.PRACTICE_SETTING, (entry.practice_setting,)),
            (names.CONFIDENTIALITY, entry.confidentiality), (names.EVENT_CODE, entry.event_codes),
        )  # fmt: skip
        for scheme, values in codes:
            for code in values:
                if code.code:
                    writer.code(scheme, code)
        if entry.patient_id:
            writer.external(names.PATIENT, entry.patient_id, "XDSDocumentEntry.patientId")
        if entry.unique_id:
            writer.external(names.UNIQUE_ID, entry.unique_id, "XDSDocumentEntry.uniqueId")
        if self.members:
            member = rim(
                objects, "Association", id=f"As{identifier}", associationType=names.HAS_MEMBER,
                sourceObject="SubmissionSet01", targetObject=identifier,
            )  # fmt: skip
            add_slot(member, "SubmissionSetStatus", ("Original",))

    def _signature(self) -> DocumentEntry:
        document = self.entries[0]
        return replace(
            document,
            unique_id=oid_from_uuid(random_uuid()),
            type_code=replace(document.type_code, code="E1762", system="ASTM"),
            format_code=replace(document.format_code, code=names.SIGNATURE_FORMAT, system="URN"),
            size=len(SIGNATURE),
            hash=hashlib.sha1(SIGNATURE, usedforsecurity=False).hexdigest(),
            title="Source",
        )


def update(*parts: etree._Element, patient_id: str = ANNE.cx) -> bytes:
    """ITI-57: a submission set of its own around `parts`, which `version_of` and `status_of` give."""
    request = etree.Element(f"{{{LCM}}}SubmitObjectsRequest")
    objects = etree.SubElement(request, f"{{{RIM}}}RegistryObjectList")
    Lot(patient_id=patient_id)._set(objects)
    objects.extend(parts)
    return envelope(names.UPDATE, request)


def status_of(entry: str, old: str, new: str) -> etree._Element:
    """UpdateAvailabilityStatus; `old` and `new` are names of names.STATUSES."""
    element = etree.Element(
        f"{{{RIM}}}Association", id="Status01", associationType=names.UPDATES_STATUS,
        sourceObject="SubmissionSet01", targetObject=entry,
    )  # fmt: skip
    add_slot(element, "OriginalStatus", (names.STATUSES[old],))
    add_slot(element, "NewStatus", (names.STATUSES[new],))
    return element


def version_of(
    shown: etree._Element, *codes: tuple[str, str], previous: str | None = None
) -> list[etree._Element]:
    """The entry as a query showed it, with other confidentiality codes, and its membership."""
    element = deepcopy(shown)
    for one in element.findall(f"{{{RIM}}}Classification"):
        if one.get("classificationScheme") == names.CONFIDENTIALITY:
            element.remove(one)
    version = element.find(f"{{{RIM}}}VersionInfo")
    before = "" if version is None else version.get("versionName", "")
    element.set("id", "Document01")
    writer = ObjectWriter(element, "Document01")
    for code, system in codes:
        writer.code(names.CONFIDENTIALITY, Coded(code, system, code))
    member = etree.Element(
        f"{{{RIM}}}Association", id="Member01", associationType=names.HAS_MEMBER,
        sourceObject="SubmissionSet01", targetObject="Document01",
    )  # fmt: skip
    add_slot(member, "SubmissionSetStatus", ("Original",))
    add_slot(member, "PreviousVersion", (before if previous is None else previous,))
    return [element, member]


def mtom(
    root: bytes, parts: Mapping[str, bytes], *, end: str = "\r\n", closed: bool = True
) -> tuple[str, bytes]:
    """As stacks write it: no action parameter, the Content-ID not encoded."""
    boundary = f"uuid-{random_uuid()}"
    pieces = [
        f"--{boundary}{end}Content-Type: application/xop+xml; charset=UTF-8; "
        f'type="application/soap+xml"{end}Content-ID: <root@client>{end}{end}'.encode(),
        root,
    ]
    for name, content in parts.items():
        head = (
            f"{end}--{boundary}{end}Content-Type: text/xml{end}"
            f"Content-Transfer-Encoding: binary{end}Content-ID: <{name}>{end}{end}"
        )
        pieces += [head.encode(), content]
    pieces.append(f"{end}--{boundary}{'--' if closed else ''}{end}".encode())
    content_type = (
        f'multipart/related; type="application/xop+xml"; boundary="{boundary}"; '
        'start="<root@client>"; start-info="application/soap+xml"'
    )
    return content_type, b"".join(pieces)


def query(
    query_id: str,
    *slots: tuple[str, str],
    kind: str = "LeafClass",
    without: Sequence[str] = (),
) -> bytes:
    body = etree.Element(f"{{{QUERY}}}AdhocQueryRequest")
    etree.SubElement(
        body, f"{{{QUERY}}}ResponseOption", returnComposedObjects="true", returnType=kind
    )
    adhoc = rim(body, "AdhocQuery", id=f"urn:uuid:{query_id}")
    for name, value in slots:
        add_slot(adhoc, name, (value,))
    return envelope(names.STORED_QUERY, body, without=without)


def retrieval(*unique_ids: str, repository: str = names.REPOSITORY_ID) -> bytes:
    body = etree.Element(f"{{{XDSB}}}RetrieveDocumentSetRequest")
    for unique_id in unique_ids:
        request = etree.SubElement(body, f"{{{XDSB}}}DocumentRequest")
        etree.SubElement(request, f"{{{XDSB}}}RepositoryUniqueId").text = repository
        etree.SubElement(request, f"{{{XDSB}}}DocumentUniqueId").text = unique_id
    return envelope(names.RETRIEVE, body)


@dataclass(frozen=True)
class Answer:
    """An answer of the door, multipart or not, taken apart by other means than the server's."""

    response: httpx.Response
    root: etree._Element
    parts: dict[str, bytes]

    @property
    def status(self) -> str:
        """Success, Failure or PartialSuccess; a fault has none."""
        found = self.root.xpath("string(//@status[starts-with(., 'urn:')])", namespaces=NS)
        return str(found).rpartition(":")[2]

    @property
    def errors(self) -> dict[str, str]:
        """Location to errorCode, of errors only."""
        return {
            str(one.get("location")): str(one.get("errorCode"))
            for one in self.root.iterfind(".//rs:RegistryError", NS)
            if str(one.get("severity")).endswith(":Error")
        }

    @property
    def warnings(self) -> set[str]:
        return {
            str(one.get("location"))
            for one in self.root.iterfind(".//rs:RegistryError", NS)
            if str(one.get("severity")).endswith(":Warning")
        }

    @property
    def fault(self) -> str:
        return self.root.findtext(".//soap:Subcode/soap:Value", "", NS)

    @property
    def rules(self) -> set[str]:
        return {str(one.get("rule")) for one in self.root.iterfind(".//socle:problem", NS)}

    def ids(self, kind: str) -> list[str]:
        return [str(one.get("id")) for one in self.root.iterfind(f".//rim:{kind}", NS)]


def taken_apart(response: httpx.Response) -> Answer:
    content_type = response.headers["content-type"]
    headers = MimeHeaders()
    headers["content-type"] = content_type
    if headers.get_content_type() != "multipart/related":
        return Answer(response, etree.fromstring(response.content), {})
    boundary = str(headers.get_param("boundary")).encode()
    pieces = response.content.split(b"--" + boundary)
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    found: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        line = next(one for one in head.decode().splitlines() if one.startswith("Content-ID"))
        found[line.partition("<")[2].rstrip(">")] = content.removesuffix(b"\r\n")
    start = str(headers.get_param("start")).strip("<>")
    return Answer(response, etree.fromstring(found.pop(start)), found)


async def post(
    http: httpx.AsyncClient,
    service: str,
    message: bytes | tuple[str, bytes],
    headers: Mapping[str, str],
    *,
    prefix: str = "",
) -> Answer:
    content_type, body = (
        ("application/soap+xml; charset=utf-8", message) if isinstance(message, bytes) else message
    )
    sent = {**headers, "Content-Type": content_type}
    return taken_apart(await http.post(f"{prefix}{BASE}/{service}", content=body, headers=sent))


def patient_slot(ins: Any = ANNE) -> tuple[str, str]:
    return "$XDSDocumentEntryPatientId", f"'{ins.cx}'"


APPROVED: Sequence[tuple[str, str]] = (
    ("$XDSDocumentEntryStatus", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"),
)
