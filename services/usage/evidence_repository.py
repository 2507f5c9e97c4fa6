"""SQL of the documents behind a figure."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.evidence import LogicalDocument, Registration
from services.usage.tables import act, cancellation, document, link, withdrawal


async def chains_of(session: AsyncSession, space: str, unique_id: str) -> Sequence[UUID]:
    """The logical documents that have a version with this uniqueId: one, as a rule."""
    result = await session.execute(
        select(document.c.chain_id)
        .distinct()
        .where(document.c.space == space, document.c.unique_id == unique_id)
        .limit(10)
    )
    return result.scalars().all()


async def chains_between(
    session: AsyncSession,
    space: str,
    structure: str | None,
    professional: str | None,
    types: Collection[str] | None,
    between: tuple[datetime, datetime],
    after: UUID | None,
    limit: int,
) -> Sequence[UUID]:
    """Logical documents of an author with an act in a period, in the order of their numbers."""
    statement = select(document.c.chain_id).distinct()
    statement = statement.where(
        document.c.space == space,
        document.c.act_at >= between[0],
        document.c.act_at < between[1],
    )
    if structure is not None:
        statement = statement.where(document.c.structure == structure)
    if professional is not None:
        statement = statement.where(document.c.professional == professional)
    if types is not None:
        statement = statement.where(document.c.type_code.in_(types))
    if after is not None:
        statement = statement.where(document.c.chain_id > after)
    result = await session.execute(statement.order_by(document.c.chain_id).limit(limit))
    return result.scalars().all()


async def load(
    session: AsyncSession, space: str, chains: Collection[UUID]
) -> list[LogicalDocument]:
    """In the order of their numbers, with all that decides whether they count."""
    result = await session.execute(
        select(document)
        .where(document.c.space == space, document.c.chain_id.in_(chains))
        .order_by(document.c.chain_id, document.c.registered_at, document.c.logical_id)
    )
    versions: dict[UUID, list[Registration]] = {}
    for row in result:
        versions.setdefault(row.chain_id, []).append(
            Registration(
                row.logical_id, row.event_id, row.unique_id, row.structure, row.professional,
                row.type_code, row.level, row.qualified, row.act_at, row.registered_at,
            )
        )  # fmt: skip
    withdrawn = {
        row.chain_id: row.withdrawn_at
        for row in await session.execute(
            select(withdrawal).where(withdrawal.c.space == space, withdrawal.c.chain_id.in_(chains))
        )
    }
    acts = await _acts(session, space, [it.unique_id for all_ in versions.values() for it in all_])
    return [
        LogicalDocument(chain, tuple(found), withdrawn.get(chain), _kinds(acts, found))
        for chain, found in versions.items()
    ]


_Linked = dict[str, list[tuple[str, str, str]]]


async def _acts(session: AsyncSession, space: str, references: Collection[str]) -> _Linked:
    """By uniqueId: (kind, structure, professional) of the acts that are linked and not cancelled."""
    result = await session.execute(
        select(link.c.reference, act.c.kind, act.c.structure, act.c.professional)
        .join(act, (act.c.space == link.c.space) & (act.c.act_id == link.c.act_id))
        .outerjoin(
            cancellation,
            (cancellation.c.space == act.c.space)
            & (cancellation.c.act_id == act.c.act_id)
            & (cancellation.c.owner == act.c.owner)
            & (cancellation.c.kind == act.c.kind),
        )
        .where(
            link.c.space == space,
            link.c.reference.in_(references),
            cancellation.c.act_id.is_(None),
        )
    )
    found: _Linked = {}
    for row in result:
        found.setdefault(row.reference, []).append((row.kind, row.structure, row.professional))
    return found


def _kinds(acts: _Linked, versions: Sequence[Registration]) -> frozenset[str]:
    """Only its own author's acts are its acts."""
    origin = versions[0]
    return frozenset(
        kind
        for version in versions
        for kind, structure, professional in acts.get(version.unique_id, ())
        if (structure and structure == origin.structure)
        or (professional and professional == origin.professional)
    )
