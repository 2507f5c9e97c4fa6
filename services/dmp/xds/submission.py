"""Reads ITI-41, Provide and Register Document Set-b: TD2.1 and TD2.2 (spec: dmp.md §1.4).

Reading collects everything that is wrong with the lot; what a document says of itself is checked in
`checks.py`.
"""

import base64
import binascii
from dataclasses import dataclass, field

from lxml import etree

from services.dmp.domain.document_entry import Coded, DocumentEntry
from services.dmp.domain.submission_set import SubmissionSet
from services.dmp.xds import names
from services.dmp.xds.ebrim import Association, RegistryObject, RegistryObjects, read_objects
from services.dmp.xds.entry import read_author, read_entry
from services.dmp.xds.message import Message
from services.dmp.xds.names import LCM, RIM, XDSB
from socle.problems import Problem
from socle.soap.mtom import XOP
from socle.soap.parsing import text_of

SOURCE = "ITI TF-2 §3.41; ITI TF-3 §4.2"
_REQUEST = f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest"


@dataclass(frozen=True, slots=True)
class SubmittedDocument:
    object: RegistryObject
    entry: DocumentEntry
    content: bytes = field(repr=False)

    @property
    def path(self) -> str:
        return self.object.path

    @property
    def is_signature(self) -> bool:
        """The XAdES signature of the lot travels as one more document."""
        entry = self.entry
        return (entry.type_code.code, entry.format_code.code) == (
            names.SIGNATURE_TYPE,
            names.SIGNATURE_FORMAT,
        )


@dataclass(slots=True)
class Lot:
    """What was found; `problems` holds everything that is wrong with it."""

    submission_set: SubmissionSet | None = None
    set_path: str = ""
    documents: list[SubmittedDocument] = field(default_factory=list)
    signature: SubmittedDocument | None = None
    associations: tuple[Association, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def problem(self, rule: str, path: str, message: str, expected: str = "") -> None:
        self.problems.append(Problem(rule, path, message, expected, source=SOURCE))


def read_lot(message: Message) -> Lot:
    lot = Lot()
    if message.body.tag != _REQUEST:
        lot.problem("XDSRepositoryMetadataError", "/Envelope/Body", "another request", _REQUEST)
        return lot
    parent = message.body.find(f"{{{LCM}}}SubmitObjectsRequest/{{{RIM}}}RegistryObjectList")
    if parent is None:
        lot.problem(
            "XDSRepositoryMetadataError", "/Envelope/Body/*", "there is no registry object",
            "lcm:SubmitObjectsRequest/rim:RegistryObjectList",
        )  # fmt: skip
        return lot
    objects = read_objects(parent)
    lot.associations = objects.associations
    package = _read_set(lot, objects)
    _read_documents(lot, objects, _contents(lot, message))
    if package is not None:
        _check_members(lot, package)
    return lot


def _read_set(lot: Lot, objects: RegistryObjects) -> RegistryObject | None:
    sets = [one for one in objects.packages if objects.nodes.get(one.id) == names.SET_NODE]
    for other in objects.packages:
        if other not in sets:
            lot.problem(
                "XDSRepositoryMetadataError", other.path, "it is no submission set",
                f"classificationNode {names.SET_NODE}; folders are not handled here yet",
            )  # fmt: skip
    if len(sets) != 1:
        lot.problem(
            "XDSRepositoryMetadataError", "RegistryPackage", f"{len(sets)} submission sets", "one"
        )
        return None
    package = sets[0]
    content_type = package.code(names.SET_CONTENT_TYPE)
    lot.set_path = package.path
    lot.submission_set = SubmissionSet(
        unique_id=package.external_ids.get(names.SET_UNIQUE_ID, ""),
        source_id=package.external_ids.get(names.SET_SOURCE, ""),
        patient_id=package.external_ids.get(names.SET_PATIENT, ""),
        submission_time=package.slot("submissionTime"),
        content_type=(
            Coded(content_type.node, content_type.coding_scheme, content_type.name)
            if content_type
            else Coded("", "")
        ),
        authors=tuple(map(read_author, package.classified(names.SET_AUTHOR))),
        title=package.name,
        comments=package.description,
    )
    for name, value in (
        ("uniqueId", lot.submission_set.unique_id),
        ("sourceId", lot.submission_set.source_id),
        ("patientId", lot.submission_set.patient_id),
        ("submissionTime", lot.submission_set.submission_time),
        ("contentTypeCode", lot.submission_set.content_type.code),
        ("author", lot.submission_set.authors),
    ):
        if not value:
            lot.problem(
                "XDSRepositoryMetadataError", f"{package.path}/{name}", "it is missing", "a value"
            )
    return package


def _contents(lot: Lot, message: Message) -> dict[str, bytes]:
    """The bytes of each xdsb:Document, by its id."""
    found: dict[str, bytes] = {}
    for document in message.body.iterchildren(f"{{{XDSB}}}Document"):
        identifier = document.get("id", "")
        path = f"Document[{identifier[:64]}]"
        content = _content(lot, message, document, path)
        if content is None:
            continue
        if identifier in found:
            lot.problem("XDSRepositoryMetadataError", path, "two documents have this id", "one")
        found[identifier] = content
    return found


def _content(lot: Lot, message: Message, document: etree._Element, path: str) -> bytes | None:
    include = document.find(f"{{{XOP}}}Include")
    if include is not None:
        attachment = message.raw.attachment(include.get("href", ""))
        if attachment is None:
            lot.problem(
                "XDSMissingDocument", path, "no part of the message has the Content-ID of its href",
                "cid: and the Content-ID of a part",
            )  # fmt: skip
            return None
        return attachment.content
    try:
        return base64.b64decode(text_of(document).encode(), validate=False)
    except (binascii.Error, ValueError):
        lot.problem("XDSRepositoryMetadataError", path, "it is no base64", "xop:Include, or base64")
        return None


def _read_documents(lot: Lot, objects: RegistryObjects, contents: dict[str, bytes]) -> None:
    for found in objects.documents:
        if found.object_type != names.STABLE:
            lot.problem(
                "XDSRepositoryMetadataError", f"{found.path}/@objectType", "no stable document",
                names.STABLE,
            )  # fmt: skip
            continue
        if found.id not in contents:
            lot.problem(
                "XDSMissingDocument", found.path, "there is no document of this id",
                "xdsb:Document with the id of the ExtrinsicObject",
            )  # fmt: skip
            continue
        document = SubmittedDocument(found, read_entry(found), contents[found.id])
        if not document.is_signature:
            lot.documents.append(document)
        elif lot.signature is None:
            lot.signature = document
        else:
            lot.problem("XDSRepositoryMetadataError", found.path, "a second signature", "one")
    described = {one.id for one in objects.documents}
    for identifier in contents:
        if identifier not in described:
            lot.problem(
                "XDSMissingDocumentMetadata", f"Document[{identifier[:64]}]",
                "no ExtrinsicObject describes it", "one of the same id",
            )  # fmt: skip
    if not lot.documents:
        lot.problem(
            "XDSMissingDocument", "ExtrinsicObject", "the lot has no document", "one or more"
        )


def _check_members(lot: Lot, package: RegistryObject) -> None:
    """HasMember from the set to each of its documents; what relates to earlier ones is not handled."""
    members = {
        one.target
        for one in lot.associations
        if one.kind == names.HAS_MEMBER and one.source == package.id
    }
    documents = [*lot.documents, *([lot.signature] if lot.signature else [])]
    for document in documents:
        if document.object.id not in members:
            lot.problem(
                "XDSRepositoryMetadataError", document.path,
                "it is no member of the submission set", "an association HasMember",
            )  # fmt: skip
    known = {names.HAS_MEMBER, names.SIGNS}
    for one in lot.associations:
        if one.kind not in known:
            lot.problem(
                "XDSReplaceFailed" if one.kind == names.REPLACES else "XDSRepositoryMetadataError",
                f"Association[{one.id[:64]}]",
                "relations to registered documents are not handled here yet",
                "HasMember and signs only",
            )
