"""Documents that wait for their validation, and what was found: the table `dmp.validation`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.tables import validation
from socle.clock import wall
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class Validation:
    """`findings` is None while the document waits."""

    done_at: datetime | None
    findings: list[dict[str, Any]] | None


async def enqueue(session: WriteSession, documents: Sequence[tuple[str, UUID]]) -> None:
    """Space and entryUUID of each; one that is there already stays as it is."""
    if documents:
        rows = [{"space": space, "id": one, "requested_at": wall()} for space, one in documents]
        await session.execute(insert(validation).values(rows).on_conflict_do_nothing())


async def take(session: WriteSession) -> tuple[str, UUID] | None:
    """The oldest that waits and that nobody else has; it is held until the transaction ends."""
    result = await session.execute(
        select(validation.c.space, validation.c.id)
        .where(validation.c.done_at.is_(None))
        .order_by(validation.c.requested_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = result.one_or_none()
    return (row.space, row.id) if row else None


async def finish(
    session: WriteSession, space: str, document_id: UUID, findings: list[dict[str, Any]]
) -> None:
    await session.execute(
        update(validation)
        .where(validation.c.space == space, validation.c.id == document_id)
        .values(done_at=wall(), findings=findings)
    )


async def get_validation(session: AsyncSession, space: str, document_id: UUID) -> Validation | None:
    result = await session.execute(
        select(validation.c.done_at, validation.c.findings).where(
            validation.c.space == space, validation.c.id == document_id
        )
    )
    row = result.one_or_none()
    return Validation(*row) if row else None
