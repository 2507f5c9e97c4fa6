"""Use cases of TD3.3: what is masked, shown, archived or deleted (spec: dmp.md §1.5, §1.9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.dmp import record_repository, repository
from services.dmp.domain import refusals
from services.dmp.domain.patient_view import WRITTEN_BY_PATIENT
from services.dmp.domain.visibility import MASKED, Reader, is_masked
from services.dmp.entries import NewSet
from services.dmp.events import (
    DOCUMENT_ARCHIVED,
    DOCUMENT_DELETED,
    DOCUMENT_UNARCHIVED,
    status_changed,
    visibility_changed,
)
from services.dmp.fhir.from_xds import label_concepts
from services.dmp.repository import StoredEntry
from services.dmp.stored import entry_of_row
from socle.db.database import WriteSession
from socle.events.outbox import publish
from socle.http.context import traceparent
from socle.idgen import uuid7
from socle.spaces import Space
from socle.xds.document_entry import Coded, DocumentEntry

EVENTS: Final = {
    ("Approved", "Archived"): DOCUMENT_ARCHIVED,
    ("Archived", "Approved"): DOCUMENT_UNARCHIVED,
    ("Approved", "Deleted"): DOCUMENT_DELETED,
    ("Archived", "Deleted"): DOCUMENT_DELETED,
}
"""The changes of status that the DMP knows, and what each tells."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of the document that `name` names as get_document takes it; `path` is where it is asked for.

    `confidentiality` is whole, or None if it stays; `status` likewise. What the caller believes of
    the document, where it says so, is held against what is stored.
    """

    name: str
    path: str
    confidentiality: tuple[Coded, ...] | None = None
    status: str | None = None
    believed_version: int | None = None
    believed_status: str | None = None
    believed_id: UUID | None = None
    believed_entry: DocumentEntry | None = None


async def apply_changes(
    session: WriteSession,
    space: Space,
    reader: Reader,
    submission: NewSet,
    changes: Sequence[Change],
    *,
    patient: str | None = None,
) -> list[StoredEntry]:
    """All of them, or a refusal; the documents as they are then, in the order of the changes.

    `patient` is the pseudonym of the set's, where a client wrote the set.
    """
    found: list[StoredEntry] = []
    for change in changes:
        stored = await repository.lock_document(session, space.name, change.name, reader)
        if stored is None:
            raise refusals.no_such_document(change.path)
        if patient not in (None, stored.patient):
            raise refusals.set_of_another_patient(change.path)
        _check_beliefs(stored, change)
        if not found:
            await repository.insert_set(
                session,
                space.name,
                stored.patient,
                repository.StoredSet(submission.id, submission.at, submission.metadata),
                submission.submitter,
            )
        if change.confidentiality is not None:
            stored = await _change_visibility(session, space, reader, submission, stored, change)
        if change.status is not None and change.status != stored.status:
            stored = await _change_status(session, space, reader, stored, change)
        found.append(stored)
    return found


def _check_beliefs(stored: StoredEntry, change: Change) -> None:
    """The caller may look at what has changed since."""
    if change.believed_version not in (None, stored.version):
        raise refusals.another_version(change.path, stored.version)
    if change.believed_id not in (None, stored.id):
        raise refusals.another_version(change.path, stored.version)
    if change.believed_status not in (None, stored.status):
        raise refusals.another_status(change.path, stored.status)


async def _change_visibility(
    session: WriteSession,
    space: Space,
    reader: Reader,
    submission: NewSet,
    stored: StoredEntry,
    change: Change,
) -> StoredEntry:
    """A new version: the entryUUID changes, the logicalId and the bytes stay."""
    if stored.status not in ("Approved", "Archived"):
        raise refusals.not_changeable(change.path, stored.status)
    entry = await entry_of_row(session, space.name, stored)
    if change.believed_entry is not None:
        _refuse_other_changes(entry, change.believed_entry, change.path)
    assert change.confidentiality is not None
    # What a patient wrote is theirs to hide, and the treating doctor's (spec: dmp.md §1.9).
    of_patient = WRITTEN_BY_PATIENT in stored.owners and not reader.sees_everything
    if of_patient and not await _is_treating(session, space, reader, stored):
        raise refusals.not_owner(change.path, "to change what the patient wrote")
    unmasks = is_masked(entry) and not _names(change.confidentiality, MASKED)
    if unmasks and not await _is_treating(session, space, reader, stored):
        _require_owner(stored, reader, change.path, "to unmask a document (TD3.3a)")
    changed = replace(entry, confidentiality=change.confidentiality)
    fresh = replace(
        stored,
        id=uuid7(),
        version=stored.version + 1,
        submission_set=submission.id,
        registered_at=submission.at,
        metadata=_with_visibility(stored.metadata, changed),
    )
    await repository.insert_version(session, space.name, fresh, masked=is_masked(changed))
    event = visibility_changed(
        space.name,
        stored.patient,
        entry_id=fresh.id,
        logical_id=fresh.logical_id,
        chain_id=fresh.chain_id,
        version=fresh.version,
        confidentiality=[code.code for code in change.confidentiality],
        at=submission.at,
        traceparent=traceparent.get(),
    )
    await publish(session, "dmp", [event])
    return fresh


async def _change_status(
    session: WriteSession, space: Space, reader: Reader, stored: StoredEntry, change: Change
) -> StoredEntry:
    """The version stays: only its status is another (ITI TF-2 §3.57, UpdateAvailabilityStatus)."""
    assert change.status is not None
    kind = EVENTS.get((stored.status, change.status))
    if kind is None:
        raise refusals.impossible_status(change.path, stored.status, change.status)
    _require_owner(stored, reader, change.path, "to archive or delete a document (TD3.3c, TD3.3d)")
    await repository.set_status(session, space.name, stored.id, change.status)
    event = status_changed(
        kind,
        space.name,
        stored.patient,
        entry_id=stored.id,
        logical_id=stored.logical_id,
        chain_id=stored.chain_id,
        at=space.now(),
        traceparent=traceparent.get(),
    )
    await publish(session, "dmp", [event])
    return replace(stored, status=change.status, status_changes=stored.status_changes + 1)


def _require_owner(stored: StoredEntry, reader: Reader, path: str, what: str) -> None:
    """Nobody is named where SOCLE_DMP_AUTHENTICATION is off: then nobody is refused."""
    if reader.identifier and reader.identifier not in stored.owners:
        raise refusals.not_owner(path, what)


async def _is_treating(
    session: WriteSession, space: Space, reader: Reader, stored: StoredEntry
) -> bool:
    """The treating doctor unmasks everybody's documents (spec: dmp.md §1.9, TD3.3a)."""
    right = await record_repository.get_right(
        session, space.name, stored.patient, reader.identifier
    )
    return right is not None and right.is_treating_doctor


def _refuse_other_changes(stored: DocumentEntry, given: DocumentEntry, path: str) -> None:
    """The whole entry is sent again, and only its confidentiality may differ (TD3.3a, TD3.3b)."""
    compared = (
        ("uniqueId", stored.unique_id, given.unique_id),
        ("patientId", stored.patient_id, given.patient_id),
        ("hash", stored.hash, given.hash),
        ("size", stored.size, given.size),
        ("typeCode", stored.type_code.code, given.type_code.code),
        ("classCode", stored.class_code.code, given.class_code.code),
        ("formatCode", stored.format_code.code, given.format_code.code),
        ("creationTime", stored.creation_time, given.creation_time),
        ("title", stored.title, given.title),
        ("languageCode", stored.language, given.language),
        ("serviceStartTime", stored.service_start, given.service_start),
        ("serviceStopTime", stored.service_stop, given.service_stop),
        ("healthcareFacilityTypeCode", stored.facility_type.code, given.facility_type.code),
        ("practiceSettingCode", stored.practice_setting.code, given.practice_setting.code),
        ("sourcePatientId", stored.source_patient_id, given.source_patient_id),
        ("legalAuthenticator", stored.legal_authenticator, given.legal_authenticator),
        ("mimeType", stored.mime_type, given.mime_type),
    )
    differing = [(name, old) for name, old, new in compared if old != new]
    if differing:
        raise refusals.unmodifiable(path, differing)


def _with_visibility(metadata: dict[str, Any], entry: DocumentEntry) -> dict[str, Any]:
    labels = label_concepts(entry.confidentiality)
    return {
        **metadata,
        "xds": entry.as_json(),
        "submitted": {**metadata["submitted"], "securityLabel": labels},
    }


def _names(codes: Sequence[Coded], code: str) -> bool:
    return any(one.code == code for one in codes)
