"""Folders and what is in them, as the registry holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import repository
from services.dmp.conditions import open_to
from services.dmp.domain.folder import Folder
from services.dmp.domain.visibility import Reader
from services.dmp.repository import StoredEntry
from services.dmp.tables import document, folder, folder_member


@dataclass(frozen=True, slots=True)
class StoredFolder:
    id: UUID
    submission_set: UUID
    updated_at: datetime
    version: int
    folder: Folder
    submitted: dict[str, Any] = field(repr=False)
    """The List that came by FHIR; empty for what came by SOAP."""

    @property
    def updated(self) -> str:
        """lastUpdateTime: a UTC stamp of HL7v2."""
        return self.updated_at.astimezone(UTC).strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True, slots=True)
class Filed:
    """A document, in its latest version, that is in a folder."""

    folder: UUID
    document: StoredEntry


async def find_folders(
    session: AsyncSession,
    space: str,
    reader: Reader,
    *,
    patient: str | None = None,
    ids: Sequence[UUID] = (),
    unique_ids: Sequence[str] = (),
    submission_sets: Sequence[UUID] = (),
) -> list[StoredFolder]:
    """Of a patient, or by one of the identifiers, in records that are open to the reader; the last
    made first."""
    which: ColumnElement[bool] = (
        folder.c.patient == patient
        if patient is not None
        else or_(
            folder.c.id.in_(ids),
            folder.c.unique_id.in_(unique_ids),
            folder.c.submission_set.in_(submission_sets),
        )
    )
    result = await session.execute(
        select(
            folder.c.id,
            folder.c.submission_set,
            folder.c.updated_at,
            folder.c.version,
            folder.c.metadata,
        )
        .where(folder.c.space == space, which, open_to(space, folder.c.patient, reader))
        .order_by(folder.c.id.desc())
    )
    return [
        StoredFolder(
            row.id,
            row.submission_set,
            row.updated_at,
            row.version,
            Folder.of_json(row.metadata["xds"]),
            row.metadata.get("submitted", {}),
        )
        for row in result
    ]


async def find_filed(
    session: AsyncSession, space: str, reader: Reader, folders: Sequence[UUID]
) -> list[Filed]:
    """What this reader is shown of these folders, replaced documents included."""
    result = await session.execute(
        select(folder_member.c.folder, document.c.id)
        .join_from(folder_member, document, _is_member())
        .where(folder_member.c.space == space, folder_member.c.folder.in_(folders))
        .order_by(folder_member.c.folder, document.c.id)
    )
    pairs: list[tuple[UUID, UUID]] = [(row.folder, row.id) for row in result]
    named = [entry_id for _, entry_id in pairs]
    shown = {one.id: one for one in await repository.find_named(session, space, named, (), reader)}
    return [Filed(one, shown[entry_id]) for one, entry_id in pairs if entry_id in shown]


async def folders_of(
    session: AsyncSession, space: str, documents: Sequence[StoredEntry]
) -> list[UUID]:
    """Those that any of these documents is in."""
    statement = select(folder_member.c.folder).distinct()
    logical_ids = [one.logical_id for one in documents]
    result: Sequence[Any] = (
        (
            await session.execute(
                statement.where(
                    folder_member.c.space == space, folder_member.c.document.in_(logical_ids)
                )
            )
        )
        .scalars()
        .all()
    )
    return list(result)


def _is_member() -> ColumnElement[bool]:
    return and_(
        document.c.space == folder_member.c.space,
        document.c.logical_id == folder_member.c.document,
        document.c.latest,
    )
