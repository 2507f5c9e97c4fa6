"""Reads ITI-41, Provide and Register Document Set-b: TD2.1 and TD2.2 (spec: dmp.md §1.4).

Reading collects everything that is wrong with the lot; what a document says of itself is checked in
`checks.py`.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lxml import etree

from services.dmp.domain.folder import Filing, Folder, NewFolder
from services.dmp.xds.message import Message
from socle.idgen import uuid7
from socle.problems import Problem
from socle.soap.mtom import XOP
from socle.soap.parsing import text_of
from socle.xds import names
from socle.xds.document_entry import Coded, DocumentEntry
from socle.xds.ebrim import (
    Association,
    RegistryObject,
    RegistryObjects,
    read_objects,
    read_uuid,
)
from socle.xds.entry import read_entry
from socle.xds.names import LCM, RIM, XDSB
from socle.xds.sets import read_set
from socle.xds.submission_set import SubmissionSet

SOURCE = "ITI TF-2 §3.41; ITI TF-3 §4.2"
_REQUEST = f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest"


@dataclass(frozen=True, slots=True)
class SubmittedDocument:
    id: UUID
    """Its entryUUID to be: the producer's, unless it is only symbolic."""
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


@dataclass(frozen=True, slots=True)
class LotRelation:
    """`source` is a document of the lot; `target` is the entryUUID of a registered one."""

    kind: str
    source: UUID
    target: UUID
    path: str


@dataclass(slots=True)
class Lot:
    """What was found; `problems` holds everything that is wrong with it."""

    submission_set: SubmissionSet | None = None
    set_path: str = ""
    documents: list[SubmittedDocument] = field(default_factory=list)
    signature: SubmittedDocument | None = None
    relations: list[LotRelation] = field(default_factory=list)
    folders: list[NewFolder] = field(default_factory=list)
    filings: list[Filing] = field(default_factory=list)
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
    found = read_set(objects)
    package, lot.submission_set = found.package, found.submission_set
    lot.set_path = package.path if package else ""
    lot.problems += found.problems
    _read_documents(lot, objects, _contents(lot, message))
    folders = {one.id: _read_folder(one) for one in found.folders}
    lot.folders = list(folders.values())
    if package is not None:
        parts = [*(document.object for document in _all_documents(lot)), *found.folders]
        _check_members(lot, package, parts, objects.associations)
        _read_filings(lot, package, folders, objects.associations)
    _read_relations(lot, objects.associations)
    return lot


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
        entry_id = read_uuid(found.id) or uuid7()
        document = SubmittedDocument(entry_id, found, read_entry(found), contents[found.id])
        if not document.is_signature:
            lot.documents.append(document)
        elif lot.signature is None:
            lot.signature = document
        else:
            lot.problem("XDSRepositoryMetadataError", found.path, "a second signature", "one")
    described = {one.id for one in objects.documents}
    if len(described) < len(objects.documents):
        lot.problem(
            "XDSRepositoryMetadataError", "ExtrinsicObject/@id", "two documents have one id",
            "an id of its own for each",
        )  # fmt: skip
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


def _check_members(
    lot: Lot,
    package: RegistryObject,
    parts: Sequence[RegistryObject],
    associations: Sequence[Association],
) -> None:
    """HasMember from the set to each of its documents and folders."""
    members = {
        one.target
        for one in associations
        if one.kind == names.HAS_MEMBER and one.source == package.id
    }
    for part in parts:
        if part.id not in members:
            lot.problem(
                "XDSRepositoryMetadataError", part.path,
                "it is no member of the submission set", "an association HasMember",
            )  # fmt: skip


def _read_folder(package: RegistryObject) -> NewFolder:
    codes = (
        Coded(one.node, one.coding_scheme, one.name)
        for one in package.classified(names.FOLDER_CODES)
    )
    folder = Folder(
        unique_id=package.external_ids.get(names.FOLDER_UNIQUE_ID, ""),
        patient_id=package.external_ids.get(names.FOLDER_PATIENT, ""),
        codes=tuple(codes),
        title=package.name,
        comments=package.description,
    )
    return NewFolder(read_uuid(package.id) or uuid7(), folder, package.path)


def _read_filings(
    lot: Lot,
    package: RegistryObject,
    folders: Mapping[str, NewFolder],
    associations: Sequence[Association],
) -> None:
    """HasMember from a folder; either end is of the lot, or registered and named by its entryUUID."""
    documents = {document.object.id: document.id for document in lot.documents}
    for one in associations:
        if one.kind != names.HAS_MEMBER or one.source == package.id:
            continue
        path = f"Association[{one.id[:64]}]"
        new = folders.get(one.source)
        folder = new.id if new else read_uuid(one.source)
        document = documents.get(one.target) or read_uuid(one.target)
        if folder is None:
            lot.problem(
                "XDSRepositoryMetadataError", f"{path}/@sourceObject", "no package of the lot",
                "the id of the submission set or of a folder, or a folder's entryUUID",
            )  # fmt: skip
        if document is None:
            lot.problem(
                "XDSRepositoryMetadataError", f"{path}/@targetObject", "no document of the lot",
                "the id of an ExtrinsicObject, or the entryUUID of a registered document",
            )  # fmt: skip
        if folder is not None and document is not None:
            lot.filings.append(Filing(folder, document, path))


def _read_relations(lot: Lot, associations: Sequence[Association]) -> None:
    """What replaces, completes or transforms a registered document (ITI TF-3 §4.2.2.2)."""
    documents = {document.object.id: document for document in _all_documents(lot)}
    for one in associations:
        if one.kind in (names.HAS_MEMBER, names.SIGNS):
            continue
        path = f"Association[{one.id[:64]}]"
        if one.kind not in names.RELATIONS:
            lot.problem(
                "XDSRepositoryMetadataError", f"{path}/@associationType", "another association",
                ", ".join((names.HAS_MEMBER, names.SIGNS, *names.RELATIONS)),
            )  # fmt: skip
            continue
        source, target = documents.get(one.source), read_uuid(one.target)
        if source is None:
            lot.problem(
                "XDSRepositoryMetadataError", f"{path}/@sourceObject", "no document of the lot",
                "the id of the new ExtrinsicObject",
            )  # fmt: skip
        if target is None:
            lot.problem(
                "XDSReplaceFailed" if one.kind == names.REPLACES else "XDSRepositoryMetadataError",
                f"{path}/@targetObject", "it is no entryUUID",
                "urn:uuid: and the entryUUID of the registered document (TD3.1b), not its uniqueId",
            )  # fmt: skip
        if source is not None and target is not None:
            kind = names.RELATIONS[one.kind]
            lot.relations.append(LotRelation(kind, source.id, target, path))


def _all_documents(lot: Lot) -> list[SubmittedDocument]:
    return [*lot.documents, *([lot.signature] if lot.signature else [])]
