"""SQL of attestations, their history and their payments."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Table, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import attainment, attainment_step, payment
from socle.db.database import WriteSession

Key = tuple[str, str, str, str]
"""Space, beneficiary, programme, window."""


async def lock(session: WriteSession, key: Key) -> None:
    """One act on an attestation at a time, until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('usage.attainment ' || :key, 0))"),
        {"key": " ".join(key)},
    )


def _of(table: Table, key: Key) -> list[Any]:
    names = ("space", "beneficiary", "programme", "window")
    return [table.c[name] == value for name, value in zip(names, key, strict=True)]


def _values(key: Key) -> dict[str, str]:
    return dict(zip(("space", "beneficiary", "programme", "window"), key, strict=True))


async def find(session: AsyncSession, key: Key) -> Row[Any] | None:
    result = await session.execute(select(attainment).where(*_of(attainment, key)))
    return result.one_or_none()


async def of_programme(
    session: AsyncSession, space: str, beneficiary: str, programme: str
) -> Sequence[Row[Any]]:
    result = await session.execute(
        select(attainment)
        .where(
            attainment.c.space == space,
            attainment.c.beneficiary == beneficiary,
            attainment.c.programme == programme,
        )
        .order_by(attainment.c.window)
    )
    return result.all()


async def paid_by_window(
    session: AsyncSession, space: str, beneficiary: str, programme: str
) -> dict[str, Decimal]:
    """All the steps of each window, what was taken back too."""
    result = await session.execute(
        select(payment.c.window, func.sum(payment.c.amount).label("paid"))
        .where(
            payment.c.space == space,
            payment.c.beneficiary == beneficiary,
            payment.c.programme == programme,
        )
        .group_by(payment.c.window)
    )
    return {row.window: row.paid for row in result}


async def put(session: WriteSession, key: Key, state: str, body: str, at: datetime) -> None:
    statement = upsert(attainment).values(**_values(key), state=state, body=body, changed_at=at)
    changed = {"state": state, "body": body, "changed_at": at}
    await session.execute(statement.on_conflict_do_update(constraint="pk_attainment", set_=changed))


async def steps(session: AsyncSession, key: Key) -> Sequence[Row[Any]]:
    """The history, the first step first."""
    result = await session.execute(
        select(attainment_step)
        .where(*_of(attainment_step, key))
        .order_by(attainment_step.c.position)
    )
    return result.all()


async def add_step(
    session: WriteSession,
    key: Key,
    action: str,
    state: str,
    by: str,
    at: datetime,
    request: str,
    result: str,
) -> None:
    """The caller holds the lock."""
    last = select(func.coalesce(func.max(attainment_step.c.position), 0)).where(
        *_of(attainment_step, key)
    )
    position = (await session.execute(last)).scalar_one() + 1
    await session.execute(
        insert(attainment_step).values(
            **_values(key), position=position, action=action, state=state, by=by, at=at,
            request=request, result=result,
        )
    )  # fmt: skip


async def payments(session: AsyncSession, key: Key) -> Sequence[Any]:
    """Rows of (step, amount, paid_at), the first one first."""
    result = await session.execute(
        select(payment.c.step, payment.c.amount, payment.c.paid_at)
        .where(*_of(payment, key))
        .order_by(payment.c.position)
    )
    return result.all()


async def pay(
    session: WriteSession, key: Key, step: str, position: int, amount: Decimal, at: datetime
) -> None:
    """A step that is there is never paid again: its key refuses it."""
    await session.execute(
        insert(payment).values(
            **_values(key), step=step, position=position, amount=amount, paid_at=at
        )
    )
