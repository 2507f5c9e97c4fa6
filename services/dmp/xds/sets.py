"""Submission sets, folders and their memberships as ebRIM (ITI TF-3 §4.2.2.1, §4.2.3.3, §4.2.3.4)."""

from typing import Final
from uuid import UUID, uuid5

from lxml import etree

from services.dmp.domain.submission_set import SubmissionSet
from services.dmp.folder_repository import StoredFolder
from services.dmp.repository import StoredAssociation
from services.dmp.xds import names
from services.dmp.xds.entry import ObjectWriter, add_slot, add_text, rim

_MEMBERSHIPS: Final = UUID("6f2a7a52-3c0e-5d1b-9b0e-3b0f0b6f5a11")
"""The namespace of their ids: a membership has no row of its own."""


def member_id(package: UUID, member: UUID) -> str:
    return f"urn:uuid:{uuid5(_MEMBERSHIPS, f'{package} {member}')}"


def write_set(parent: etree._Element, set_id: UUID, found: SubmissionSet) -> None:
    element, writer = _package(parent, set_id)
    add_slot(element, "submissionTime", (found.submission_time,))
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


def write_folder(parent: etree._Element, found: StoredFolder) -> None:
    folder = found.folder
    element, writer = _package(parent, found.id)
    add_slot(element, "lastUpdateTime", (found.updated,))
    add_text(element, "Name", folder.title)
    add_text(element, "Description", folder.comments)
    writer.node(names.FOLDER_NODE)
    for code in folder.codes:
        writer.code(names.FOLDER_CODES, code)
    writer.external(names.FOLDER_PATIENT, folder.patient_id, "XDSFolder.patientId")
    writer.external(names.FOLDER_UNIQUE_ID, folder.unique_id, "XDSFolder.uniqueId")


def _package(parent: etree._Element, package_id: UUID) -> tuple[etree._Element, ObjectWriter]:
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


def write_relation(parent: etree._Element, found: StoredAssociation) -> None:
    identifier = f"urn:uuid:{found.id}"
    rim(
        parent,
        "Association",
        id=identifier,
        lid=identifier,
        objectType=names.ASSOCIATION,
        associationType=names.RELATION_URIS[found.kind],
        sourceObject=f"urn:uuid:{found.source}",
        targetObject=f"urn:uuid:{found.target}",
        status=names.STATUSES["Approved"],
    )
