"""SQL of the structures of a space, and of those that it does not know."""

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.contributions import EVERYBODY
from services.usage.tables import bucket, structure
from socle.db.database import WriteSession


async def upsert_structure(session: WriteSession, space: str, finess: str, name: str) -> None:
    statement = insert(structure).values(space=space, finess=finess, name=name)
    await session.execute(
        statement.on_conflict_do_update(constraint="pk_structure", set_={"name": name})
    )


async def get_structure_name(session: AsyncSession, space: str, finess: str) -> str | None:
    result = await session.execute(
        select(structure.c.name).where(structure.c.space == space, structure.c.finess == finess)
    )
    name: str | None = result.scalar_one_or_none()
    return name


async def list_structures(
    session: AsyncSession, space: str, after: str, limit: int
) -> list[tuple[str, str]]:
    """In the order of their numbers, those that come after one."""
    result = await session.execute(
        select(structure.c.finess, structure.c.name)
        .where(structure.c.space == space, structure.c.finess > after)
        .order_by(structure.c.finess)
        .limit(limit)
    )
    return [(row.finess, row.name) for row in result]


async def count_quarantined(
    session: AsyncSession, space: str, after: str, limit: int
) -> list[tuple[str, int, int]]:
    """(structure, documents, acts) of structures that this space does not know: visible, not lost.
    In the order of their numbers; that of an author without one is empty, and comes first."""
    known = select(structure.c.finess).where(structure.c.space == space)
    sums = {
        measure: func.coalesce(func.sum(bucket.c.latest).filter(bucket.c.measure == measure), 0)
        for measure in ("document", "act")
    }
    result = await session.execute(
        select(bucket.c.subject, sums["document"].label("documents"), sums["act"].label("acts"))
        .where(
            bucket.c.space == space,
            bucket.c.measure.in_(sums),
            bucket.c.subject != EVERYBODY,
            bucket.c.subject.not_like("ps:%"),
            bucket.c.subject.not_in(known),
            bucket.c.subject > after if after else true(),
        )
        .group_by(bucket.c.subject)
        .having((sums["document"] != 0) | (sums["act"] != 0))
        .order_by(bucket.c.subject)
        .limit(limit)
    )
    return [(row.subject, row.documents, row.acts) for row in result]
