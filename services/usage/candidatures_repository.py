"""SQL of the applications as they were made, one after the other."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import application
from socle.db.database import WriteSession


async def lock(session: WriteSession, space: str, beneficiary: str, programme: str) -> None:
    """One change of a dossier at a time, until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('usage.dossier ' || :key, 0))"),
        {"key": f"{space} {beneficiary} {programme}"},
    )


async def history(
    session: AsyncSession, space: str, beneficiary: str, programme: str
) -> Sequence[Any]:
    """Rows of (window, groups, applied_at, in_time), the first one first."""
    result = await session.execute(
        select(
            application.c.window, application.c.groups, application.c.applied_at,
            application.c.in_time,
        )
        .where(
            application.c.space == space,
            application.c.beneficiary == beneficiary,
            application.c.programme == programme,
        )
        .order_by(application.c.position)
    )  # fmt: skip
    return result.all()


async def add(
    session: WriteSession,
    space: str,
    beneficiary: str,
    programme: str,
    window: str,
    groups: Collection[str],
    at: datetime,
    in_time: bool,
) -> None:
    """The caller holds the lock."""
    last = select(func.coalesce(func.max(application.c.position), 0)).where(
        application.c.space == space,
        application.c.beneficiary == beneficiary,
        application.c.programme == programme,
    )
    position = (await session.execute(last)).scalar_one() + 1
    await session.execute(
        insert(application).values(
            space=space, beneficiary=beneficiary, programme=programme, position=position,
            window=window, groups=sorted(groups), applied_at=at, in_time=in_time,
        )
    )  # fmt: skip
