"""The SQL of the DMP, save the statement of the hot path (hot/statement.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.domain.entry import Registered
from services.dmp.tables import body, document, patient, submission_set
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
    version: int
    submission_set: UUID
    unique_id: str
    status: str
    created_at: datetime
    registered_at: datetime
    metadata: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Criteria of ITI-67; an empty one does not restrict. Periods are half open."""

    patient: str | None = None  # pseudonym
    ids: tuple[UUID, ...] = ()
    identifiers: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    type_codes: tuple[str, ...] = ()
    class_codes: tuple[str, ...] = ()
    created: tuple[tuple[datetime | None, datetime | None], ...] = ()
    after: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class StoredSet:
    id: UUID
    submitted_at: datetime
    metadata: dict[str, Any] = field(repr=False)


_ENTRY = (
    document.c.id,
    document.c.logical_id,
    document.c.version,
    document.c.submission_set,
    document.c.unique_id,
    document.c.status,
    document.c.created_at,
    document.c.registered_at,
    document.c.metadata,
)


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
    session: AsyncSession, space: str, query: EntryQuery, limit: int
) -> list[StoredEntry]:
    """Newest first, by date of creation."""
    statement = (
        select(*_ENTRY)
        .where(*_conditions(space, query))
        .order_by(document.c.created_at.desc(), document.c.id.desc())
        .limit(limit)
    )
    return [StoredEntry(*row) for row in await session.execute(statement)]


async def count_entries(session: AsyncSession, space: str, query: EntryQuery) -> int:
    statement = select(func.count()).select_from(document).where(*_conditions(space, query))
    count: int = (await session.execute(statement)).scalar_one()
    return count


def _conditions(space: str, query: EntryQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [document.c.space == space]
    if query.patient is not None:
        conditions.append(document.c.patient == query.patient)
    if query.ids:
        conditions.append(document.c.id.in_(query.ids))
    if query.identifiers:
        conditions.append(
            or_(
                document.c.unique_id.in_(query.identifiers),
                document.c.id.in_(_uuids(query.identifiers)),
                document.c.logical_id.in_(_uuids(query.identifiers)),
            )
        )
    for column, values in (
        (document.c.status, query.statuses),
        (document.c.type_code, query.type_codes),
        (document.c.class_code, query.class_codes),
    ):
        if values:
            conditions.append(column.in_(values))
    for start, end in query.created:
        if start is not None:
            conditions.append(document.c.created_at >= start)
        if end is not None:
            conditions.append(document.c.created_at < end)
    if query.after is not None:
        conditions.append(tuple_(document.c.created_at, document.c.id) < query.after)
    return conditions


def _uuids(values: Sequence[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value.removeprefix("urn:uuid:")))
        except ValueError:
            continue
    return found


async def find_named(
    session: AsyncSession, space: str, ids: Sequence[UUID], unique_ids: Sequence[str]
) -> list[StoredEntry]:
    """By entryUUID or uniqueId, the oldest first."""
    named = or_(document.c.id.in_(ids), document.c.unique_id.in_(unique_ids))
    result = await session.execute(
        select(*_ENTRY).where(document.c.space == space, named).order_by(document.c.id)
    )
    return [StoredEntry(*row) for row in result]


async def find_members(
    session: AsyncSession, space: str, set_ids: Sequence[UUID]
) -> list[StoredEntry]:
    """The documents of these submission sets."""
    result = await session.execute(
        select(*_ENTRY)
        .where(document.c.space == space, document.c.submission_set.in_(set_ids))
        .order_by(document.c.id)
    )
    return [StoredEntry(*row) for row in result]


async def find_sets(
    session: AsyncSession,
    space: str,
    *,
    patient: str | None = None,
    ids: Sequence[UUID] = (),
    unique_ids: Sequence[str] = (),
) -> list[StoredSet]:
    """Of a patient, or by either identifier; the newest first."""
    unique_id = submission_set.c.metadata["xds"]["unique_id"].astext
    which = (
        submission_set.c.patient == patient
        if patient is not None
        else or_(submission_set.c.id.in_(ids), unique_id.in_(unique_ids))
    )
    result = await session.execute(
        select(submission_set.c.id, submission_set.c.submitted_at, submission_set.c.metadata)
        .where(submission_set.c.space == space, which)
        .order_by(submission_set.c.id.desc())
    )
    return [StoredSet(*row) for row in result]


async def get_entry(session: AsyncSession, space: str, entry_id: UUID) -> StoredEntry | None:
    result = await session.execute(
        select(*_ENTRY).where(document.c.space == space, document.c.id == entry_id)
    )
    row = result.one_or_none()
    return StoredEntry(*row) if row else None


async def get_content(
    session: AsyncSession, space: str, entry_id: UUID
) -> tuple[StoredEntry, bytes] | None:
    result = await session.execute(
        select(*_ENTRY, body.c.content)
        .join(body, and_(body.c.space == document.c.space, body.c.sha256 == document.c.sha256))
        .where(document.c.space == space, document.c.id == entry_id)
    )
    row = result.one_or_none()
    return (StoredEntry(*row[:-1]), bytes(row[-1])) if row else None


async def get_content_by_unique_id(
    session: AsyncSession, space: str, unique_id: str
) -> tuple[StoredEntry, bytes] | None:
    """The latest version: a document keeps its uniqueId through every update of its metadata."""
    result = await session.execute(
        select(*_ENTRY, body.c.content)
        .join(body, and_(body.c.space == document.c.space, body.c.sha256 == document.c.sha256))
        .where(document.c.space == space, document.c.unique_id == unique_id)
        .order_by(document.c.version.desc())
        .limit(1)
    )
    row = result.one_or_none()
    return (StoredEntry(*row[:-1]), bytes(row[-1])) if row else None


async def upsert_patient(
    session: WriteSession,
    space: str,
    pseudonym: str,
    status: str | None,
    qualified: bool,
    at: datetime,
) -> None:
    """What was said last wins; an older event that arrives late changes nothing."""
    values = {"status": status or "", "qualified": qualified, "said_at": at}
    statement = insert(patient).values(space=space, pseudonym=pseudonym, **values)
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_patient", set_=values, where=patient.c.said_at <= at
        )
    )


async def get_patient_status(session: AsyncSession, space: str, pseudonym: str) -> str | None:
    result = await session.execute(
        select(patient.c.status).where(patient.c.space == space, patient.c.pseudonym == pseudonym)
    )
    status: str | None = result.scalar_one_or_none()
    return status
