"""Submission sets and memberships as ebRIM: read and written (ITI TF-3 §4.2.2.1, §4.2.3.3)."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

from lxml import etree

from socle.problems import Problem
from socle.xds import names
from socle.xds.document_entry import Coded
from socle.xds.ebrim import RegistryObject, RegistryObjects
from socle.xds.entry import ObjectWriter, add_slot, add_text, read_author, rim
from socle.xds.submission_set import SubmissionSet

SOURCE: Final = "ITI TF-3 §4.2"
_SUBMISSION_TIME: Final = "submissionTime"
_RECIPIENT: Final = "intendedRecipient"
_MEMBERSHIPS: Final = UUID("6f2a7a52-3c0e-5d1b-9b0e-3b0f0b6f5a11")
"""The namespace of their ids: a membership has no row of its own."""


@dataclass(slots=True)
class ReadSet:
    """The one submission set of a message, whether it deposits or updates, and what else packages
    are there."""

    package: RegistryObject | None = None
    submission_set: SubmissionSet | None = None
    folders: list[RegistryObject] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: str, message: str, expected: str) -> None:
        rule = "XDSRepositoryMetadataError"
        self.problems.append(Problem(rule, path, message, expected, source=SOURCE))


def read_set(objects: RegistryObjects) -> ReadSet:
    found = ReadSet()
    sets = [one for one in objects.packages if objects.nodes.get(one.id) == names.SET_NODE]
    for other in objects.packages:
        if objects.nodes.get(other.id) == names.FOLDER_NODE:
            found.folders.append(other)
        elif other not in sets:
            found.problem(
                other.path, "it is neither a submission set nor a folder",
                f"classificationNode {names.SET_NODE} or {names.FOLDER_NODE}",
            )  # fmt: skip
    if len(sets) != 1:
        found.problem("RegistryPackage", f"{len(sets)} submission sets", "one")
        return found
    package = found.package = sets[0]
    content_type = package.code(names.SET_CONTENT_TYPE)
    read = found.submission_set = SubmissionSet(
        unique_id=package.external_ids.get(names.SET_UNIQUE_ID, ""),
        source_id=package.external_ids.get(names.SET_SOURCE, ""),
        patient_id=package.external_ids.get(names.SET_PATIENT, ""),
        submission_time=package.slot(_SUBMISSION_TIME),
        content_type=(
            Coded(content_type.node, content_type.coding_scheme, content_type.name)
            if content_type
            else Coded("", "")
        ),
        authors=tuple(map(read_author, package.classified(names.SET_AUTHOR))),
        title=package.name,
        comments=package.description,
        intended_recipients=package.slots.get(_RECIPIENT, ()),
        extra=package.other_slots((_SUBMISSION_TIME, _RECIPIENT)),
    )
    for name, value in (
        ("uniqueId", read.unique_id),
        ("sourceId", read.source_id),
        ("patientId", read.patient_id),
        ("submissionTime", read.submission_time),
        ("contentTypeCode", read.content_type.code),
        ("author", read.authors),
    ):
        if not value:
            found.problem(f"{package.path}/{name}", "it is missing", "a value")
    return found


def member_id(package: UUID, member: UUID) -> str:
    return f"urn:uuid:{uuid5(_MEMBERSHIPS, f'{package} {member}')}"


def write_set(parent: etree._Element, set_id: UUID, found: SubmissionSet) -> None:
    element, writer = write_package(parent, set_id)
    if found.intended_recipients:
        add_slot(element, _RECIPIENT, found.intended_recipients)
    add_slot(element, _SUBMISSION_TIME, (found.submission_time,))
    for name, values in found.extra:
        add_slot(element, name, values)
    add_text(element, "Name", found.title)
    add_text(element, "Description", found.comments)
    writer.node(names.SET_NODE)
    for author in found.authors:
        writer.author(names.SET_AUTHOR, author)
    if found.content_type.code:
        writer.code(names.SET_CONTENT_TYPE, found.content_type)
    for scheme, value, name in (
        (names.SET_PATIENT, found.patient_id, "XDSSubmissionSet.patientId"),
        (names.SET_SOURCE, found.source_id, "XDSSubmissionSet.sourceId"),
        (names.SET_UNIQUE_ID, found.unique_id, "XDSSubmissionSet.uniqueId"),
    ):
        if value:
            writer.external(scheme, value, name)


def write_package(parent: etree._Element, package_id: UUID) -> tuple[etree._Element, ObjectWriter]:
    identifier = f"urn:uuid:{package_id}"
    element = rim(
        parent,
        "RegistryPackage",
        id=identifier,
        lid=identifier,
        objectType=names.PACKAGE,
        status=names.STATUSES["Approved"],
    )
    return element, ObjectWriter(element, identifier)


def write_member(
    parent: etree._Element, package: UUID, member: UUID, *, of_set: bool = True
) -> None:
    """Only a set's memberships have a SubmissionSetStatus."""
    element = rim(
        parent,
        "Association",
        id=member_id(package, member),
        objectType=names.ASSOCIATION,
        associationType=names.HAS_MEMBER,
        sourceObject=f"urn:uuid:{package}",
        targetObject=f"urn:uuid:{member}",
        status=names.STATUSES["Approved"],
    )
    if of_set:
        add_slot(element, "SubmissionSetStatus", ("Original",))
