"""SQL of the rule files that spaces bring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import rule_file
from socle.db.database import WriteSession


async def latest(session: AsyncSession, space: str) -> Sequence[Row[Any]]:
    """The last file put for each programme."""
    result = await session.execute(
        select(rule_file)
        .where(rule_file.c.space == space)
        .ext(distinct_on(rule_file.c.programme))
        .order_by(rule_file.c.programme, rule_file.c.position.desc())
    )
    return result.all()


async def find(
    session: AsyncSession, space: str, programme: str, version: str | None
) -> Row[Any] | None:
    """That version, or the last one put."""
    statement = select(rule_file).where(
        rule_file.c.space == space, rule_file.c.programme == programme
    )
    if version is not None:
        statement = statement.where(rule_file.c.version == version)
    result = await session.execute(statement.order_by(rule_file.c.position.desc()).limit(1))
    return result.one_or_none()


async def history(session: AsyncSession, space: str, programme: str) -> Sequence[Any]:
    """Rows of (version, stored_at), the last put first."""
    result = await session.execute(
        select(rule_file.c.version, rule_file.c.stored_at)
        .where(rule_file.c.space == space, rule_file.c.programme == programme)
        .order_by(rule_file.c.position.desc())
    )
    return result.all()


async def count(session: AsyncSession, space: str) -> int:
    result = await session.execute(
        select(func.count()).select_from(rule_file).where(rule_file.c.space == space)
    )
    total: int = result.scalar_one()
    return total


async def lock(session: WriteSession, space: str) -> None:
    """One file at a time for a space, until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('usage.rule_file ' || :space, 0))"),
        {"space": space},
    )


async def put(
    session: WriteSession, space: str, programme: str, version: str, body: str, at: datetime
) -> None:
    """The same version again becomes the last one put; the caller holds the lock."""
    last = select(func.coalesce(func.max(rule_file.c.position), 0)).where(
        rule_file.c.space == space
    )
    position = (await session.execute(last)).scalar_one() + 1
    statement = insert(rule_file).values(
        space=space,
        programme=programme,
        version=version,
        body=body,
        position=position,
        stored_at=at,
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_rule_file", set_={"position": position, "stored_at": at}
        )
    )


async def delete(session: WriteSession, space: str, programme: str) -> int:
    result = await session.execute(
        delete_from(rule_file)
        .where(rule_file.c.space == space, rule_file.c.programme == programme)
        .returning(rule_file.c.version)
    )
    return len(result.all())
