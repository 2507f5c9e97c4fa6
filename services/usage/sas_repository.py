"""SQL of the slots that a professional's agenda opens to the SAS."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import sas_slot
from socle.db.database import WriteSession

Slot = tuple[datetime, datetime]


async def add(session: WriteSession, space: str, professional: str, slots: Iterable[Slot]) -> int:
    """How many were new."""
    values = [
        {"space": space, "professional": professional, "starts_at": start, "ends_at": end}
        for start, end in sorted(set(slots))
    ]
    result = await session.execute(
        insert(sas_slot)
        .values(values)
        .on_conflict_do_nothing(constraint="pk_sas_slot")
        .returning(sas_slot.c.starts_at)
    )
    return len(result.all())


async def between(
    session: AsyncSession, space: str, professional: str, start: datetime, end: datetime
) -> Sequence[Slot]:
    """Those that reach into the span."""
    result = await session.execute(
        select(sas_slot.c.starts_at, sas_slot.c.ends_at).where(
            sas_slot.c.space == space,
            sas_slot.c.professional == professional,
            sas_slot.c.starts_at < end,
            sas_slot.c.ends_at > start,
        )
    )
    return [(row.starts_at, row.ends_at) for row in result]
