"""Events that could not be processed: kept with the reason, listed, shown and replayed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.log import Batch, StoredRecord
from socle.events.outbox import channel_of
from socle.events.topics import DEAD_LETTER_SUFFIX


@dataclass(frozen=True, slots=True)
class DeadLetter:
    id: int
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    failed_at: datetime
    replayed_at: datetime | None
    value: bytes

    def summary(self) -> dict[str, Any]:
        """What a list shows; `value` is left to `show`."""
        return {
            "id": self.id,
            "consumer": self.consumer,
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "reason": self.reason,
            "failed_at": self.failed_at.isoformat(timespec="seconds"),
            "replayed_at": self.replayed_at and self.replayed_at.isoformat(timespec="seconds"),
        }


async def bury(
    session: WriteSession,
    schema: str,
    consumer: str,
    batch: Batch,
    stored: StoredRecord,
    reason: str,
) -> None:
    """Keeps the record, and sends it to the dead-letter topic by the service's own outbox.

    Both in the transaction that moves the offset: a record is either processed, or here.
    """
    record = stored.record
    headers = {
        "socle-consumer": consumer,
        "socle-reason": reason[:500],
        "socle-partition": str(batch.partition),
        "socle-offset": str(stored.offset),
    }
    parameters = {
        "consumer": consumer,
        "topic": batch.topic,
        "partition": batch.partition,
        "offset": stored.offset,
        "key": record.key,
        "value": record.value,
        "headers": orjson.dumps(headers).decode(),
        "reason": reason,
    }
    await session.execute(
        text(
            f"INSERT INTO {schema}.dead_letter"
            ' (consumer, topic, partition, "offset", key, value, headers, reason) VALUES'
            " (:consumer, :topic, :partition, :offset, :key, :value, CAST(:headers AS jsonb), :reason)"
        ),
        parameters,
    )
    await session.execute(
        text(
            f"INSERT INTO {schema}.outbox (topic, key, value, headers)"
            " VALUES (:topic, :key, :value, CAST(:headers AS jsonb))"
        ),
        {**parameters, "topic": batch.topic + DEAD_LETTER_SUFFIX},
    )
    await session.execute(text(f"NOTIFY {channel_of(schema)}"))


async def list_dead_letters(
    session: AsyncSession, schema: str, *, replayed: bool = False, limit: int = 100
) -> list[DeadLetter]:
    rows = await session.execute(
        text(
            'SELECT id, consumer, topic, partition, "offset", reason, failed_at, replayed_at, value'
            f" FROM {schema}.dead_letter WHERE :replayed OR replayed_at IS NULL"
            " ORDER BY id LIMIT :limit"
        ),
        {"replayed": replayed, "limit": limit},
    )
    return [DeadLetter(**row) for row in rows.mappings()]


async def get_dead_letter(session: AsyncSession, schema: str, number: int) -> DeadLetter | None:
    rows = await session.execute(
        text(
            'SELECT id, consumer, topic, partition, "offset", reason, failed_at, replayed_at, value'
            f" FROM {schema}.dead_letter WHERE id = :id"
        ),
        {"id": number},
    )
    row = rows.mappings().one_or_none()
    return DeadLetter(**row) if row else None


async def replay(session: WriteSession, schema: str, number: int) -> None:
    """Sends a dead letter to its own topic again, under its own event id.

    Consumers that had processed it drop it; the one that had not gets another chance. The row is
    locked, so that two replays at once send one record.
    """
    rows = await session.execute(
        text(
            f"UPDATE {schema}.dead_letter SET replayed_at = now()"
            " WHERE id = :id AND replayed_at IS NULL RETURNING topic, key, value"
        ),
        {"id": number},
    )
    row = rows.one_or_none()
    if row is None:
        raise DomainError(
            Category.NOT_FOUND,
            "dead_letter_unknown",
            f"{schema} holds no dead letter {number} that is still to be replayed.",
        )
    await session.execute(
        text(f"INSERT INTO {schema}.outbox (topic, key, value) VALUES (:topic, :key, :value)"),
        {"topic": row.topic, "key": row.key, "value": row.value},
    )
    await session.execute(text(f"NOTIFY {channel_of(schema)}"))
