"""The SQL of the DMP, save the statement of the hot path (hot/statement.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.conditions import (
    EntryQuery,
    conditions_of,
    open_to,
    order_of,
    shown_to,
    uuids_of,
)
from services.dmp.domain.entry import Registered
from services.dmp.domain.visibility import Reader
from services.dmp.tables import association, body, document, patient, submission_set
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class KnownDocument:
    sha256: bytes
    registered: Registered


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A document entry as the registry holds it, without its body."""

    id: UUID
    logical_id: UUID
    chain_id: UUID
    version: int
    status_changes: int
    patient: str  # pseudonym
    submission_set: UUID
    unique_id: str
    status: str
    owners: tuple[str, ...] = field(repr=False)
    created_at: datetime
    registered_at: datetime
    metadata: dict[str, Any] = field(repr=False)

    @property
    def revision(self) -> int:
        """What FHIR counts: every change, those of the status included."""
        return self.version + self.status_changes


@dataclass(frozen=True, slots=True)
class StoredSet:
    id: UUID
    submitted_at: datetime
    metadata: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredAssociation:
    """`kind` is RPLC, APND, XFRM or XFRM_RPLC; both ends are entryUUIDs."""

    id: UUID
    kind: str
    source: UUID
    target: UUID


EVERYTHING = Reader("", sees_everything=True)
"""For what no caller is shown."""

_ENTRY = (
    document.c.id,
    document.c.logical_id,
    document.c.chain_id,
    document.c.version,
    document.c.status_changes,
    document.c.patient,
    document.c.submission_set,
    document.c.unique_id,
    document.c.status,
    document.c.owners,
    document.c.created_at,
    document.c.registered_at,
    document.c.metadata,
)


def _entry(row: Row[Any, *tuple[Any, ...]]) -> StoredEntry:
    values = row._asdict()
    return StoredEntry(**{**values, "owners": tuple(values["owners"])})


async def find_registered(
    session: AsyncSession, space: str, unique_ids: Sequence[str]
) -> dict[str, KnownDocument]:
    result = await session.execute(
        select(
            document.c.unique_id,
            document.c.id,
            document.c.submission_set,
            document.c.version,
            document.c.registered_at,
            document.c.sha256,
        ).where(
            document.c.space == space,
            document.c.unique_id.in_(unique_ids),
            document.c.version == 1,
        )
    )
    return {
        row.unique_id: KnownDocument(
            bytes(row.sha256),
            Registered(row.id, row.submission_set, row.version, row.registered_at, is_new=False),
        )
        for row in result
    }


async def search_entries(
    session: AsyncSession, space: str, reader: Reader, query: EntryQuery, limit: int
) -> list[StoredEntry]:
    statement = (
        select(*_ENTRY)
        .where(*conditions_of(space, reader, query))
        .order_by(*order_of(query.order))
        .limit(limit)
    )
    return [_entry(row) for row in await session.execute(statement)]


async def count_entries(
    session: AsyncSession, space: str, reader: Reader, query: EntryQuery
) -> int:
    statement = (
        select(func.count()).select_from(document).where(*conditions_of(space, reader, query))
    )
    count: int = (await session.execute(statement)).scalar_one()
    return count


async def find_named(
    session: AsyncSession,
    space: str,
    ids: Sequence[UUID],
    unique_ids: Sequence[str],
    reader: Reader = EVERYTHING,
    *,
    logical_ids: Sequence[UUID] = (),
) -> list[StoredEntry]:
    """By entryUUID, uniqueId or logicalId, the oldest first."""
    named = or_(
        document.c.id.in_(ids),
        document.c.unique_id.in_(unique_ids),
        *([document.c.logical_id.in_(logical_ids)] if logical_ids else ()),
    )
    result = await session.execute(
        select(*_ENTRY)
        .where(document.c.space == space, named, shown_to(space, reader))
        .order_by(document.c.id)
    )
    return [_entry(row) for row in result]


async def find_members(
    session: AsyncSession, space: str, set_ids: Sequence[UUID], reader: Reader
) -> list[StoredEntry]:
    """The documents of these submission sets."""
    result = await session.execute(
        select(*_ENTRY)
        .where(
            document.c.space == space,
            document.c.submission_set.in_(set_ids),
            shown_to(space, reader),
        )
        .order_by(document.c.id)
    )
    return [_entry(row) for row in result]


async def find_sets(
    session: AsyncSession,
    space: str,
    reader: Reader,
    *,
    patient: str | None = None,
    ids: Sequence[UUID] = (),
    unique_ids: Sequence[str] = (),
) -> list[StoredSet]:
    """Of a patient, or by either identifier, in records that are open to the reader; the newest first."""
    unique_id = submission_set.c.metadata["xds"]["unique_id"].astext
    which = (
        submission_set.c.patient == patient
        if patient is not None
        else or_(submission_set.c.id.in_(ids), unique_id.in_(unique_ids))
    )
    result = await session.execute(
        # The signature of a lot is kept beside its metadata, and nobody lists it.
        select(
            submission_set.c.id,
            submission_set.c.submitted_at,
            submission_set.c.metadata.op("-")("signature"),
        )
        .where(
            submission_set.c.space == space,
            which,
            open_to(space, submission_set.c.patient, reader),
        )
        .order_by(submission_set.c.id.desc())
    )
    return [StoredSet(*row) for row in result]


async def get_document(
    session: AsyncSession, space: str, name: str, reader: Reader = EVERYTHING
) -> StoredEntry | None:
    """The latest version of the document that has this logicalId, uniqueId or, once, entryUUID."""
    found = None
    for entry_id in uuids_of([name]):
        version = await session.execute(
            select(document.c.logical_id).where(
                document.c.space == space, document.c.id == entry_id
            )
        )
        logical_id = version.scalar_one_or_none() or entry_id
        found = await _latest(session, space, reader, document.c.logical_id == logical_id)
    return found or await _latest(session, space, reader, document.c.unique_id == name)


async def _latest(
    session: AsyncSession, space: str, reader: Reader, which: ColumnElement[bool]
) -> StoredEntry | None:
    result = await session.execute(
        select(*_ENTRY).where(
            document.c.space == space, document.c.latest, which, shown_to(space, reader)
        )
    )
    row = result.one_or_none()
    return _entry(row) if row else None


async def get_content(session: AsyncSession, space: str, entry_id: UUID) -> bytes:
    """The body of a registered document, which is never removed."""
    result = await session.execute(
        select(body.c.content)
        .join(document, and_(body.c.space == document.c.space, body.c.sha256 == document.c.sha256))
        .where(document.c.space == space, document.c.id == entry_id)
    )
    content: bytes = result.scalar_one()
    return content


async def lock_document(
    session: WriteSession, space: str, name: str, reader: Reader
) -> StoredEntry | None:
    """As get_document; of two changes at once, one waits and sees what the other has made."""
    named = await get_document(session, space, name, reader)
    if named is None:
        return None
    first = document.c.version == 1  # which stays, whatever versions come
    await session.execute(
        select(document.c.id)
        .where(document.c.space == space, document.c.logical_id == named.logical_id, first)
        .with_for_update()
    )
    # Anew: what stood there before the lock was taken may have changed meanwhile.
    return await get_document(session, space, str(named.logical_id), reader)


async def insert_set(
    session: WriteSession, space: str, pseudonym: str, stored: StoredSet, submitter: str
) -> None:
    await session.execute(
        insert(submission_set).values(
            id=stored.id,
            space=space,
            patient=pseudonym,
            submitted_at=stored.submitted_at,
            submitter=submitter,
            metadata=stored.metadata,
        )
    )


async def insert_version(
    session: WriteSession, space: str, fresh: StoredEntry, *, masked: bool
) -> None:
    """The version before is deprecated (ITI TF-2 §3.57); the rest of its row is carried over."""
    previous = and_(
        document.c.space == space,
        document.c.logical_id == fresh.logical_id,
        document.c.version == fresh.version - 1,
    )
    values = {
        "id": fresh.id,
        "version": fresh.version,
        "latest": True,
        "submission_set": fresh.submission_set,
        "registered_at": fresh.registered_at,
        "masked": masked,
        "metadata": fresh.metadata,
    }
    columns = [
        bindparam(None, values[column.name], type_=column.type) if column.name in values else column
        for column in document.c
    ]
    await session.execute(
        insert(document).from_select([c.name for c in document.c], select(*columns).where(previous))
    )
    await session.execute(
        update(document)
        .where(previous)
        .values(latest=False, status="Deprecated", status_changes=document.c.status_changes + 1)
    )
    # Who may not see the document must not see what it was before.
    await session.execute(
        update(document)
        .where(document.c.space == space, document.c.logical_id == fresh.logical_id)
        .values(masked=masked)
    )


async def set_status(session: WriteSession, space: str, entry_id: UUID, status: str) -> None:
    await session.execute(
        update(document)
        .where(document.c.space == space, document.c.id == entry_id)
        .values(status=status, status_changes=document.c.status_changes + 1)
    )


async def find_associations(
    session: AsyncSession, space: str, ids: Sequence[UUID]
) -> list[StoredAssociation]:
    """Those that have one of these documents at either end."""
    result = await session.execute(
        select(association.c.id, association.c.kind, association.c.source, association.c.target)
        .where(
            association.c.space == space,
            or_(association.c.source.in_(ids), association.c.target.in_(ids)),
        )
        .order_by(association.c.id)
    )
    return [StoredAssociation(*row) for row in result]


async def upsert_patient(
    session: WriteSession,
    space: str,
    pseudonym: str,
    status: str | None,
    qualified: bool,
    at: datetime,
    fingerprints: Mapping[str, str],
) -> None:
    """What was said last wins; an older event that arrives late changes nothing."""
    values = {
        "status": status or "",
        "qualified": qualified,
        "said_at": at,
        "fingerprints": dict(fingerprints),
    }
    statement = insert(patient).values(space=space, pseudonym=pseudonym, **values)
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_patient", set_=values, where=patient.c.said_at <= at
        )
    )


@dataclass(frozen=True, slots=True)
class KnownPatient:
    status: str
    qualified: bool
    fingerprints: Mapping[str, str] = field(repr=False)


async def get_patient(session: AsyncSession, space: str, pseudonym: str) -> KnownPatient | None:
    result = await session.execute(
        select(patient.c.status, patient.c.qualified, patient.c.fingerprints).where(
            patient.c.space == space, patient.c.pseudonym == pseudonym
        )
    )
    row = result.one_or_none()
    return KnownPatient(*row) if row else None
