"""SQL of the queue: one row for each recipient whom another operator serves.

A row is held by a row lock for as long as its delivery lasts: a process that dies lets go at once, and
whoever takes the row next hands the same message over again, which the receiver knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.envelope import Envelope, Recipient, Returned
from socle.db.database import WriteSession

CHANNEL = "socle_mss_queue"
MAX_TOGETHER = 100  # RFC 5321 §4.5.3.1.8: recipients that a receiver must take


@dataclass(frozen=True, slots=True)
class Queued:
    id: int
    space: str
    message: UUID
    operator: str
    sender: str = field(repr=False)
    recipient: Recipient
    returned: Returned
    envelope_id: str
    queued_at: datetime
    next_at: datetime
    attempts: int
    reply: str


_COLUMNS = (
    "id, space, message, operator, sender, recipient, notify, original, returned, envelope_id,"
    " queued_at, next_at, attempts, reply"
)


async def enqueue(
    session: WriteSession,
    space: str,
    message: UUID,
    operator: str,
    envelope: Envelope,
    recipients: Sequence[Recipient],
    at: datetime,
) -> None:
    """In the transaction that accepts the message. What waits already is left as it is."""
    if not recipients:
        return
    await session.execute(
        text(
            "INSERT INTO mss.queued (space, message, operator, sender, recipient, notify, original,"
            " returned, envelope_id, queued_at, next_at) VALUES (:space, :message, :operator,"
            " :sender, :recipient, :notify, :original, :returned, :envelope_id, :at, :at)"
            " ON CONFLICT (message, recipient) DO NOTHING"
        ),
        [
            {
                "space": space,
                "message": message,
                "operator": operator,
                "sender": envelope.sender,
                "recipient": one.address,
                "notify": None if one.notify is None else ",".join(sorted(one.notify)),
                "original": one.original,
                "returned": envelope.returned,
                "envelope_id": envelope.envelope_id,
                "at": at,
            }
            for one in recipients
        ],
    )
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


async def take(session: WriteSession, now: datetime) -> list[Queued]:
    """The longest due recipient that nobody is busy with, and the others of the same message."""
    first = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM mss.queued WHERE next_at <= :now"
            " ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ),
        {"now": now},
    )
    row = first.one_or_none()
    if row is None:
        return []
    rows = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM mss.queued WHERE message = :message AND operator = :operator"
            " AND next_at <= :now ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"message": row.message, "operator": row.operator, "now": now, "limit": MAX_TOGETHER},
    )
    return [_queued(each) for each in rows]


async def next_due(session: AsyncSession) -> datetime | None:
    found = await session.execute(text("SELECT min(next_at) FROM mss.queued"))
    due: datetime | None = found.scalar_one()
    return due


async def remove(session: WriteSession, ids: Sequence[int]) -> None:
    await session.execute(text("DELETE FROM mss.queued WHERE id = ANY(:ids)"), {"ids": list(ids)})


async def postpone(session: WriteSession, id_: int, next_at: datetime, reply: str) -> None:
    await session.execute(
        text(
            "UPDATE mss.queued SET next_at = :next_at, reply = :reply, attempts = attempts + 1"
            " WHERE id = :id"
        ),
        {"id": id_, "next_at": next_at, "reply": reply},
    )


async def get_message(session: AsyncSession, space: str, message: UUID) -> bytes:
    found = await session.execute(
        text(
            "SELECT b.content FROM mss.message m JOIN mss.body b USING (space, sha256)"
            " WHERE m.space = :space AND m.id = :message"
        ),
        {"space": space, "message": message},
    )
    return bytes(found.scalar_one())


async def list_queued(session: AsyncSession, space: str, limit: int) -> list[Queued]:
    rows = await session.execute(
        text(f"SELECT {_COLUMNS} FROM mss.queued WHERE space = :space ORDER BY id LIMIT :limit"),
        {"space": space, "limit": limit},
    )
    return [_queued(row) for row in rows]


async def retry_all(session: WriteSession, space: str, now: datetime) -> int:
    """Whatever waits for its next attempt is due now; how many rows that were."""
    rows = await session.execute(
        text(
            "UPDATE mss.queued SET next_at = :now WHERE space = :space AND next_at > :now"
            " RETURNING id"
        ),
        {"space": space, "now": now},
    )
    count = len(rows.all())
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return count


def _queued(row: object) -> Queued:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    notify = values.pop("notify")
    values["recipient"] = Recipient(
        values["recipient"],
        None if notify is None else frozenset(notify.split(",")),
        values.pop("original"),
    )
    return Queued(**values)
