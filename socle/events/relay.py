"""The relay: takes the outbox of one service to the log, in order, and is its only producer.

Rows are claimed by what is there, never by a high-water mark on `id`: ids are drawn before
commit, so a transaction that commits late would be stepped over. A crash between the send and
the delete sends again; consumers know an event by its id.
"""

import asyncio
from dataclasses import dataclass, field

import asyncpg
import orjson

from socle.clock import monotonic
from socle.db.database import Database
from socle.events.log import EventLog, LogUnavailableError, Record
from socle.events.outbox import channel_of
from socle.failpoints import failpoint
from socle.logs import get_logger
from socle.metrics import OUTBOX_LAG, RELAY_FAILURES, RELAYED

BATCH = 500
IDLE_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 10.0
log = get_logger("events.relay")


@dataclass
class Relay:
    database: Database
    schema: str
    event_log: EventLog
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until cancelled. Outlives a lost database and a lost broker."""
        backoff = 0.5
        while True:
            started = monotonic()
            try:
                await self._run_on_one_connection()
            except (
                LogUnavailableError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                OSError,
            ) as error:
                if monotonic() - started > MAX_BACKOFF_SECONDS * 2:
                    backoff = 0.5
                RELAY_FAILURES.labels(self.schema).inc()
                log.warning("relay_waits", schema=self.schema, seconds=backoff, error=repr(error))
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)

    async def _run_on_one_connection(self) -> None:
        """One relay at a time per service: the lock lives as long as its connection."""
        connection = await self.database.connect()
        try:
            await connection.execute(
                "SELECT pg_advisory_lock(hashtextextended($1, 0))", f"relay:{self.schema}"
            )
            await connection.add_listener(channel_of(self.schema), lambda *_: self._news.set())
            while True:
                self._news.clear()
                if await self._relay_batch(connection) < BATCH:
                    await self._wait_for_news(connection)
        finally:
            connection.terminate()

    async def _relay_batch(self, connection: "asyncpg.Connection[asyncpg.Record]") -> int:
        rows = await connection.fetch(
            f"SELECT id, topic, key, value, headers, extract(epoch FROM now() - created_at) AS age"
            f" FROM {self.schema}.outbox ORDER BY id LIMIT {BATCH}"
        )
        OUTBOX_LAG.labels(self.schema).set(float(rows[0]["age"]) if rows else 0.0)
        if not rows:
            return 0
        await self.event_log.append([_record(row) for row in rows])
        failpoint("relay.sent")
        await connection.execute(
            f"DELETE FROM {self.schema}.outbox WHERE id = ANY($1::bigint[])",
            [row["id"] for row in rows],
        )
        RELAYED.labels(self.schema).inc(len(rows))
        return len(rows)

    async def _wait_for_news(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        try:
            # Not wait_for: up to Python 3.11 it swallows a cancellation that comes with the news.
            async with asyncio.timeout(IDLE_SECONDS):
                await self._news.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")  # notices a connection that has gone silently


def _record(row: asyncpg.Record) -> Record:
    return Record(row["topic"], row["key"], bytes(row["value"]), orjson.loads(row["headers"]))
