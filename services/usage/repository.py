"""All SQL of the usage service."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.acts import Act
from services.usage.domain.period import Period
from services.usage.domain.rules import Indicator
from services.usage.events import DeletedDocument, RegisteredDocument
from services.usage.tables import activity, document, structure, withdrawal
from socle.db.database import WriteSession


async def insert_documents(
    session: WriteSession, rows: Sequence[tuple[str, UUID, RegisteredDocument]]
) -> None:
    """Rows are (space, event id, document); a document that replaces another counts as that one,
    which stays as it is (spec: usage.md R4)."""
    values = [
        {
            "space": space,
            "logical_id": data.chain_id or data.logical_id,
            "structure": data.author.structure.key if data.author.structure else "",
            "type_code": data.type_code,
            "level": data.level,
            "ins_qualified": data.ins.qualified,
            "act_at": data.created_at,
            "registered_at": data.registered_at,
            "size": data.size,
            "event_id": event_id,
        }
        for space, event_id, data in rows
    ]
    await session.execute(insert(document).on_conflict_do_nothing(), values)


async def insert_withdrawals(
    session: WriteSession, rows: Sequence[tuple[str, DeletedDocument]]
) -> None:
    """Rows are (space, deletion); a document is deleted once, however often it is told."""
    values = [
        {"space": space, "logical_id": data.chain_id, "withdrawn_at": data.changed_at}
        for space, data in rows
    ]
    await session.execute(insert(withdrawal).on_conflict_do_nothing(), values)


async def insert_acts(session: WriteSession, rows: Sequence[tuple[str, Act]]) -> None:
    """Rows are (space, act); the same act declared again changes nothing."""
    values = [
        {
            "space": space,
            "kind": act.kind,
            "structure": act.structure,
            "act_id": act.act_id,
            "domain": act.domain,
            "act_at": act.act_at,
        }
        for space, act in rows
    ]
    await session.execute(insert(activity).on_conflict_do_nothing(), values)


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


async def list_structures(session: AsyncSession, space: str) -> list[tuple[str, str]]:
    result = await session.execute(
        select(structure.c.finess, structure.c.name)
        .where(structure.c.space == space)
        .order_by(structure.c.finess)
    )
    return [(row.finess, row.name) for row in result]


async def count_documents(
    session: AsyncSession, space: str, finess: str, rule: Indicator, period: Period
) -> int:
    """Logical documents of the numerator, by the date of the act (spec: usage.md R4 to R6).

    What is deleted counts no more, but after the end of the period it changes nothing in it (§14).
    """
    wanted = rule.numerator
    return await _count(
        session,
        select(func.count())
        .select_from(document)
        .where(
            document.c.space == space,
            document.c.structure == finess,
            document.c.type_code.in_(wanted.types),
            document.c.level.in_(wanted.levels),
            document.c.ins_qualified,
            document.c.act_at >= period.starts_at,
            document.c.act_at < period.ends_at,
            ~_is_withdrawn().where(withdrawal.c.withdrawn_at < period.ends_at).exists(),
        ),
    )


async def count_acts(
    session: AsyncSession, space: str, finess: str, rule: Indicator, period: Period
) -> int:
    return await _count(
        session,
        select(func.count())
        .select_from(activity)
        .where(
            activity.c.space == space,
            activity.c.structure == finess,
            activity.c.kind == rule.denominator.activity,
            activity.c.domain == rule.domain,
            activity.c.act_at >= period.starts_at,
            activity.c.act_at < period.ends_at,
        ),
    )


async def count_quarantined(session: AsyncSession, space: str) -> dict[str, int]:
    """Documents of structures that this space does not know, by structure: visible, not lost."""
    known = select(structure.c.finess).where(structure.c.space == space)
    result = await session.execute(
        select(document.c.structure, func.count().label("documents"))
        .where(
            document.c.space == space,
            document.c.structure.not_in(known),
            ~_is_withdrawn().exists(),
        )
        .group_by(document.c.structure)
        .order_by(document.c.structure)
    )
    return {row.structure: row.documents for row in result}


def _is_withdrawn() -> Select[UUID]:
    """Of the row of `document` in the query around it."""
    return (
        select(withdrawal.c.logical_id)
        .where(
            withdrawal.c.space == document.c.space,
            withdrawal.c.logical_id == document.c.logical_id,
        )
        .correlate(document)
    )


async def _count(session: AsyncSession, statement: Select[int]) -> int:
    result: int = (await session.execute(statement)).scalar_one()
    return result
