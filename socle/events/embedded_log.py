"""The log of the default mode: a table in PostgreSQL, one partition per topic.

Offsets come from a counter row that the appending transaction locks, so they follow the order
of commits and a reader can never step over a record that becomes visible late.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from socle.db.database import Database
from socle.events.log import Batch, LoadPosition, LogUnavailableError, Record, StoredRecord
from socle.logs import get_logger

CHANNEL = "socle_log"
PARTITION = 0
log = get_logger("events.embedded_log")

_APPEND = text(
    """
    WITH counter AS (
        INSERT INTO socle.log_topic AS t (topic, next_offset) VALUES (:topic, :count)
        ON CONFLICT (topic) DO UPDATE SET next_offset = t.next_offset + :count
        RETURNING next_offset - :count AS first
    )
    INSERT INTO socle.log (topic, "offset", key, value, headers)
    SELECT :topic, counter.first + r.position - 1, r.key, r.value, r.headers::jsonb
    FROM counter, unnest(CAST(:keys AS text[]), CAST(:values AS bytea[]), CAST(:headers AS text[]))
        WITH ORDINALITY AS r (key, value, headers, position)
    """
)

# By the raw pool: a recount reads millions, and a row of the ORM's costs as much as all else about it.
_READ = (
    'SELECT "offset", key, value, headers FROM socle.log'
    ' WHERE topic = $1 AND "offset" >= $2 ORDER BY "offset" LIMIT $3'
)


class EmbeddedLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def identity(self) -> str:
        return "embedded"

    async def append(self, records: Sequence[Record]) -> None:
        ordered = sorted(records, key=lambda record: record.topic)  # stable: order within a topic
        try:
            async with self._database.write() as session:
                for topic, group in groupby(ordered, key=lambda record: record.topic):
                    rows = list(group)
                    await session.execute(
                        _APPEND,
                        {
                            "topic": topic,
                            "count": len(rows),
                            "keys": [row.key for row in rows],
                            "values": [row.value for row in rows],
                            "headers": [orjson.dumps(row.headers).decode() for row in rows],
                        },
                    )
                await session.execute(text(f"NOTIFY {CHANNEL}"))
        except (DBAPIError, OSError) as error:
            raise LogUnavailableError(str(error)) from error

    @asynccontextmanager
    async def reader(
        self, consumer: str, topics: Sequence[str], load_position: LoadPosition
    ) -> AsyncIterator["EmbeddedReader"]:
        """Waits until no other process reads as this consumer: there is one partition to read."""
        connection = await self._database.connect()
        try:
            await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 1))", consumer)
            reader = EmbeddedReader(self._database, connection, tuple(topics), load_position)
            await connection.add_listener(CHANNEL, reader.wake)
            for topic in topics:
                await reader.reload(topic, PARTITION)
            yield reader
        finally:
            connection.terminate()

    async def read(self, topic: str, after: int, limit: int) -> list[StoredRecord]:
        try:
            rows = await self._database.fetch(_READ, topic, after, limit)
        except asyncpg.InternalClientError as error:
            raise LogUnavailableError(str(error)) from error
        return [
            StoredRecord(
                Record(topic, key, value, {} if headers == "{}" else orjson.loads(headers)), offset
            )
            for offset, key, value, headers in rows
        ]

    async def close(self) -> None:
        """Nothing to release: the database belongs to the process."""


@dataclass
class EmbeddedReader:
    _database: Database
    _connection: "asyncpg.Connection[asyncpg.Record]"
    _topics: tuple[str, ...]
    _load_position: LoadPosition
    _positions: dict[str, int] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, *_notification: object) -> None:
        self._news.set()

    async def fetch(self, limit: int, wait_seconds: float) -> list[Batch]:
        self._news.clear()
        batches = await self._fetch_now(limit)
        if batches or wait_seconds <= 0:
            return batches
        try:
            # Not wait_for: up to Python 3.11 it swallows a cancellation that comes with the news.
            async with asyncio.timeout(wait_seconds):
                await self._news.wait()
        except TimeoutError:
            self._require_lock()
        return await self._fetch_now(limit)

    def _require_lock(self) -> None:
        if self._connection.is_closed():
            raise LogUnavailableError("the connection that holds the reader's lock is gone")

    async def _fetch_now(self, limit: int) -> list[Batch]:
        self._require_lock()
        log_ = EmbeddedLog(self._database)
        batches = []
        for topic in self._topics:
            rows = await log_.read(topic, self._positions[topic], limit)
            if rows:
                batches.append(Batch(topic, PARTITION, rows))
                self._positions[topic] = batches[-1].next_offset
        return batches

    async def committed(self, batch: Batch) -> None:
        """Nothing to tell: the stored position is the only one."""

    async def reload(self, topic: str, partition: int) -> None:
        self._positions[topic] = await self._load_position(topic, partition) or 0
