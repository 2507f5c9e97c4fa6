"""The consumer runner: results, event ids and offsets are committed in one transaction.

An event is counted once whatever crashes: a batch that was not committed is read again, and an
event that the log repeats is known by its id. The stored offset also fences out a process that
lost its partition without noticing (docs/adr/0005).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from socle.clock import wall
from socle.db.database import Database, WriteSession
from socle.errors import DomainError
from socle.events.dead_letters import bury
from socle.events.envelope import Event, InvalidEventError
from socle.events.log import Batch, EventLog, LogReader, LogUnavailableError, StoredRecord
from socle.failpoints import failpoint
from socle.idgen import drawn_at
from socle.logs import get_logger
from socle.metrics import CONSUMED, DEAD_LETTERS, DUPLICATES, EVENT_LAG

BATCH = 500
MAX_BACKOFF_SECONDS = 10.0
log = get_logger("events.consumer")

Handler = Callable[[WriteSession, Sequence[Event]], Awaitable[None]]
"""Applies events, in order, inside the transaction that it is given.

It raises DomainError for an event that it cannot process; several events come at once so that
results can be written in few statements.
"""


# What the event itself causes, and will cause again: a refusal, a value that the database does not
# take, or a mistake of ours that this event brings to light. It must not stop those behind it.
POISON = (
    DomainError,
    DataError,
    IntegrityError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)


# Classes of SQLSTATE with the same meaning, for errors that the driver has no class for: data
# exceptions (U+0000 in a text), constraints, and limits of the program (a key too long for its index).
_POISON_STATES = ("22", "23", "54")
JUDGED = (*POISON, DBAPIError, asyncpg.PostgresError)


def is_poison(error: Exception) -> bool:
    if isinstance(error, POISON):
        return True
    said = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(said, "sqlstate", None) or "").startswith(_POISON_STATES)


class LostPartitionError(Exception):
    """Another process has moved this partition's offset."""


@dataclass
class Consumer:
    database: Database
    schema: str
    name: str
    topics: tuple[str, ...]
    handler: Handler
    event_log: EventLog
    _log: str = field(default="", init=False)

    async def run(self) -> None:
        """Until cancelled. Outlives a lost database and a lost broker."""
        backoff = 0.5
        while True:
            try:
                self._log = await self.event_log.identity()
                async with self.event_log.reader(
                    self.name, self.topics, self._load_position
                ) as reader:
                    while True:
                        for batch in await reader.fetch(BATCH, wait_seconds=1.0):
                            await self._consume(reader, batch)
                            backoff = 0.5
            except (
                LogUnavailableError,
                DBAPIError,
                InterfaceError,
                PoolTimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                OSError,
            ) as error:
                log.warning(
                    "consumer_waits", consumer=self.name, seconds=backoff, error=repr(error)
                )
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)

    async def _consume(self, reader: LogReader, batch: Batch) -> None:
        try:
            try:
                await self._apply(batch)
            except JUDGED as error:
                _raise_if_retriable(error)
                await self._apply_one_by_one(batch)
        except LostPartitionError:
            log.warning("partition_lost", consumer=self.name, topic=batch.topic)
            await reader.reload(batch.topic, batch.partition)
            return
        await reader.committed(batch)

    async def _apply(self, batch: Batch) -> None:
        """The whole batch in one transaction; any refusal undoes it."""
        async with self.database.write() as session:
            await self._advance(session, batch)
            events: list[Event] = []
            for stored in batch.records:
                try:
                    events.append(Event.parse(stored.record.value))
                except InvalidEventError as error:
                    await self._bury(session, batch, stored, str(error))
            fresh = await self._fresh(session, events)
            if fresh:
                await self.handler(session, fresh)
            failpoint("consumer.applied")
        CONSUMED.labels(self.name).inc(len(fresh))
        DUPLICATES.labels(self.name).inc(len(events) - len(fresh))
        self._observe_lag(fresh)

    def _observe_lag(self, events: list[Event]) -> None:
        lag, now = EVENT_LAG.labels(self.name), wall().timestamp()
        for event in events:
            drawn = drawn_at(event.id)
            if drawn is not None:
                lag.observe(max(now - drawn, 0.0))

    async def _apply_one_by_one(self, batch: Batch) -> None:
        """Each record in a transaction of its own, so that one bad event stops no good one."""
        for stored in batch.records:
            single = Batch(batch.topic, batch.partition, [stored])
            try:
                await self._apply(single)
            except JUDGED as error:
                _raise_if_retriable(error)
                async with self.database.write() as session:
                    await self._advance(session, single)
                    await self._bury(session, single, stored, _reason(error))

    async def _bury(
        self, session: WriteSession, batch: Batch, stored: StoredRecord, reason: str
    ) -> None:
        DEAD_LETTERS.labels(self.name).inc()
        log.warning(
            "dead_letter",
            consumer=self.name,
            topic=batch.topic,
            offset=stored.offset,
            reason=reason,
        )
        await bury(session, self.schema, self.name, batch, stored, reason)

    async def _fresh(self, session: WriteSession, events: list[Event]) -> list[Event]:
        """The events not seen before, each once, in order."""
        if not events:
            return []
        result = await session.execute(
            text(
                f"INSERT INTO {self.schema}.inbox (consumer, event_id)"
                " SELECT :consumer, id FROM unnest(CAST(:ids AS uuid[])) AS id"
                " ON CONFLICT DO NOTHING RETURNING event_id"
            ),
            {"consumer": self.name, "ids": [event.id for event in events]},
        )
        unseen: set[UUID] = set(result.scalars())
        fresh = []
        for event in events:
            if event.id in unseen:
                unseen.discard(event.id)
                fresh.append(event)
        return fresh

    async def _load_position(self, topic: str, partition: int) -> int | None:
        async with self.database.read() as session:
            result = await session.execute(
                text(
                    f"SELECT next_offset FROM {self.schema}.consumer_offset"
                    " WHERE consumer = :consumer AND log = :log"
                    " AND topic = :topic AND partition = :partition"
                ),
                {"consumer": self.name, "log": self._log, "topic": topic, "partition": partition},
            )
            position: int | None = result.scalar_one_or_none()
            return position

    async def _advance(self, session: WriteSession, batch: Batch) -> None:
        """Moves the offset from where this batch begins; a gap means that another has moved it.

        Kafka leaves gaps in its own offsets, so anything at or before the batch is accepted.
        """
        result = await session.execute(
            text(
                f"INSERT INTO {self.schema}.consumer_offset AS o"
                " (consumer, log, topic, partition, next_offset)"
                " VALUES (:consumer, :log, :topic, :partition, :next)"
                " ON CONFLICT (consumer, log, topic, partition)"
                " DO UPDATE SET next_offset = :next WHERE o.next_offset <= :first"
                " RETURNING next_offset"
            ),
            {
                "consumer": self.name,
                "log": self._log,
                "topic": batch.topic,
                "partition": batch.partition,
                "next": batch.next_offset,
                "first": batch.first_offset,
            },
        )
        if result.one_or_none() is None:
            raise LostPartitionError


def _raise_if_retriable(error: Exception) -> None:
    if not is_poison(error):
        raise error
    if isinstance(error, DomainError) and error.retriable:
        raise LogUnavailableError(str(error)) from error


def _reason(error: Exception) -> str:
    """Why an event was buried. A database error's own text could quote values of the event."""
    if isinstance(error, DomainError):
        return f"{error.code}: {error.detail}"
    return f"handler_failed: {type(error).__name__}"
