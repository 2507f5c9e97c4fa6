"""A document entry from its ExtrinsicObject, and back (ITI TF-3 §4.2.3.2; spec: dmp.md §1.4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lxml import etree

from socle.xds import names
from socle.xds.document_entry import Author, Coded, DocumentEntry
from socle.xds.ebrim import Classified, RegistryObject
from socle.xds.names import RIM

_READ: Final = frozenset({
    "creationTime", "hash", "languageCode", "legalAuthenticator", "serviceStartTime",
    "serviceStopTime", "size", "sourcePatientId", "sourcePatientInfo", names.REFERENCE_IDS,
    "repositoryUniqueId",
})  # fmt: skip
"""Slots that are attributes of an entry, or set by the registry."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the registry: what the server sets, and the producer never."""

    id: UUID
    logical_id: UUID
    version: int
    status: str


def read_entry(found: RegistryObject) -> DocumentEntry:
    """What was written; absences stay empty, and the checks tell them."""
    return DocumentEntry(
        unique_id=found.external_ids.get(names.UNIQUE_ID, ""),
        patient_id=found.external_ids.get(names.PATIENT, ""),
        type_code=_coded(found.code(names.TYPE_CODE)),
        class_code=_coded(found.code(names.CLASS_CODE)),
        format_code=_coded(found.code(names.FORMAT_CODE)),
        facility_type=_coded(found.code(names.FACILITY_TYPE)),
        practice_setting=_coded(found.code(names.PRACTICE_SETTING)),
        confidentiality=tuple(map(_coded, found.classified(names.CONFIDENTIALITY))),
        event_codes=tuple(map(_coded, found.classified(names.EVENT_CODE))),
        authors=tuple(map(read_author, found.classified(names.AUTHOR))),
        title=found.name,
        comments=found.description,
        creation_time=found.slot("creationTime"),
        service_start=found.slot("serviceStartTime"),
        service_stop=found.slot("serviceStopTime"),
        language=found.slot("languageCode"),
        mime_type=found.mime_type,
        legal_authenticator=found.slot("legalAuthenticator"),
        source_patient_id=found.slot("sourcePatientId"),
        source_patient_info=found.slots.get("sourcePatientInfo", ()),
        reference_ids=found.slots.get(names.REFERENCE_IDS, ()),
        size=_size(found.slot("size")),
        hash=found.slot("hash").lower(),
        extra=found.other_slots(_READ),
    )


def read_author(found: Classified) -> Author:
    return Author(
        next(iter(found.slots.get("authorPerson", ())), ""),
        found.slots.get("authorInstitution", ()),
        found.slots.get("authorRole", ()),
        found.slots.get("authorSpecialty", ()),
        found.slots.get("authorTelecommunication", ()),
    )


def write_entry(parent: etree._Element, entry: DocumentEntry, place: Place) -> None:
    """The ExtrinsicObject of a registry's answer."""
    identifier = f"urn:uuid:{place.id}"
    attributes = {"lid": f"urn:uuid:{place.logical_id}", "status": names.STATUSES[place.status]}
    slots = {"repositoryUniqueId": (names.REPOSITORY_ID,)}
    write_object(parent, entry, identifier, attributes, slots, version=str(place.version))


def write_object(
    parent: etree._Element,
    entry: DocumentEntry,
    identifier: str,
    attributes: Mapping[str, str],
    more_slots: Mapping[str, Sequence[str]],
    *,
    version: str = "",
) -> None:
    """The ExtrinsicObject of a document; its slots are ordered by name."""
    element = rim(
        parent,
        "ExtrinsicObject",
        id=identifier,
        objectType=names.STABLE,
        mimeType=entry.mime_type,
        **attributes,
    )
    for name, values in sorted([*_slots(entry), *more_slots.items()], key=_by_name):
        add_slot(element, name, values)
    add_text(element, "Name", entry.title)
    add_text(element, "Description", entry.comments)
    if version:
        rim(element, "VersionInfo", versionName=version)
    writer = ObjectWriter(element, identifier)
    for author in entry.authors:
        writer.author(names.AUTHOR, author)
    for scheme, codes in (
        (names.CLASS_CODE, (entry.class_code,)),
        (names.CONFIDENTIALITY, entry.confidentiality),
        (names.EVENT_CODE, entry.event_codes),
        (names.FORMAT_CODE, (entry.format_code,)),
        (names.FACILITY_TYPE, (entry.facility_type,)),
        (names.PRACTICE_SETTING, (entry.practice_setting,)),
        (names.TYPE_CODE, (entry.type_code,)),
    ):
        for code in codes:
            if code.code:
                writer.code(scheme, code)
    writer.external(names.PATIENT, entry.patient_id, "XDSDocumentEntry.patientId")
    writer.external(names.UNIQUE_ID, entry.unique_id, "XDSDocumentEntry.uniqueId")


def _by_name(slot: tuple[str, Sequence[str]]) -> str:
    return slot[0]


def _slots(entry: DocumentEntry) -> Iterable[tuple[str, Sequence[str]]]:
    single = (
        ("creationTime", entry.creation_time),
        ("hash", entry.hash),
        ("languageCode", entry.language),
        ("legalAuthenticator", entry.legal_authenticator),
        ("serviceStartTime", entry.service_start),
        ("serviceStopTime", entry.service_stop),
        ("size", str(entry.size)),
        ("sourcePatientId", entry.source_patient_id),
    )
    yield from ((name, (value,)) for name, value in single if value)
    for name, values in (
        ("sourcePatientInfo", entry.source_patient_info),
        (names.REFERENCE_IDS, entry.reference_ids),
    ):
        if values:
            yield name, values
    yield from entry.extra


class ObjectWriter:
    """The parts of a registry object that need its id and ids of their own."""

    def __init__(self, element: etree._Element, identifier: str) -> None:
        self._element = element
        self._id = identifier
        self._count = 0

    def author(self, scheme: str, author: Author) -> None:
        element = self._classification(scheme, "")
        for name, values in (
            ("authorPerson", (author.person,) if author.person else ()),
            ("authorInstitution", author.institutions),
            ("authorRole", author.roles),
            ("authorSpecialty", author.specialties),
            ("authorTelecommunication", author.telecommunications),
        ):
            if values:
                add_slot(element, name, values)

    def code(self, scheme: str, code: Coded) -> None:
        element = self._classification(scheme, code.code)
        add_slot(element, "codingScheme", (code.system,))
        add_text(element, "Name", code.display)

    def node(self, node: str) -> None:
        """What a package is: a classification without scheme."""
        rim(
            self._element,
            "Classification",
            id=self._next(),
            classifiedObject=self._id,
            objectType=names.CLASSIFICATION,
            classificationNode=node,
        )

    def external(self, scheme: str, value: str, name: str) -> None:
        element = rim(
            self._element,
            "ExternalIdentifier",
            id=self._next(),
            registryObject=self._id,
            objectType=names.EXTERNAL_ID,
            identificationScheme=scheme,
            value=value,
        )
        add_text(element, "Name", name)

    def _classification(self, scheme: str, node: str) -> etree._Element:
        return rim(
            self._element,
            "Classification",
            id=self._next(),
            classifiedObject=self._id,
            objectType=names.CLASSIFICATION,
            classificationScheme=scheme,
            nodeRepresentation=node,
        )

    def _next(self) -> str:
        """Stable from one answer to the next, and nobody's id: it names a part of the object."""
        self._count += 1
        return f"{self._id}:{self._count}"


def add_slot(parent: etree._Element, name: str, values: Sequence[str]) -> None:
    slot = rim(parent, "Slot", name=name)
    found = rim(slot, "ValueList")
    for value in values:
        rim(found, "Value").text = value


def add_text(parent: etree._Element, name: str, value: str) -> None:
    """Name and Description are there even when they are empty, as clients expect."""
    element = rim(parent, name)
    if value:
        rim(element, "LocalizedString", value=value)


def rim(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{RIM}}}{name}", attributes)


def _coded(found: Classified | None) -> Coded:
    return Coded(found.node, found.coding_scheme, found.name) if found else Coded("", "")


def _size(text: str) -> int:
    """-1 for what is no size, so that it agrees with no body."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
