"""Counts the whole log anew, beside what is counted, and takes its place in one transaction.

The log is the truth (docs/adr/0005): facts and daily sums are made again from its first record in a
schema of their own, while counting goes on. At the end counting waits a moment: what came last is read,
the tables change places, and the consumer goes on from where the recount has read.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.usage.facts_repository import GATE, LIVE, FactStore
from services.usage.replay import (
    Positions,
    Progress,
    Read,
    Replay,
    Tally,
    count_events,
    count_records,
)
from services.usage.shadow import SHADOW, Shadow
from services.usage.tables import COUNTED, bucket
from services.usage.workers import CONSUMER, TOPICS
from socle.db.database import Database, WriteSession
from socle.errors import Category, DomainError
from socle.events.envelope import Event
from socle.events.log import EventLog, LogReader
from socle.failpoints import failpoint
from socle.idgen import random_uuid

RETIRED = "usage_retired"
BATCH = 5000
ATTEMPTS = 60
_KEY = ", ".join(bucket.primary_key.columns.keys())


@dataclass
class Outcome(Tally):
    changed: int = 0
    """Daily sums that came out otherwise than they were."""
    took_place: bool = False


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Thousands of events live at a time and none is part of a cycle: to look for those after every few
    hundred took two fifths of the time."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass
class Recount:
    database: Database
    event_log: EventLog
    progress: Progress = lambda doing, events: None
    outcome: Outcome = field(default_factory=Outcome)
    _positions: Positions = field(default_factory=dict)

    async def run(self, *, check_only: bool = False) -> Outcome:
        """With `check_only` nothing is changed: the outcome says how many sums would be."""
        async with self._alone():
            log = await self.event_log.identity()
            await self._require_whole_log(log)
            # A reader of its own, so that on Kafka no partition is taken from the consumer.
            name = f"{CONSUMER}-recount-{random_uuid()}"
            async with self.event_log.reader(name, TOPICS, self._load_position) as reader:
                with seldom_collecting():
                    await self._fill(reader, log)
                await self._catch_up(reader, log)
                for attempt in range(ATTEMPTS):
                    try:
                        await self._finish(reader, log, check_only)
                        break
                    except DBAPIError as error:
                        if not _is_lock_timeout(error) or attempt == ATTEMPTS - 1:
                            raise
                        await asyncio.sleep(0.2)
            await self._execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
        return self.outcome

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        connection = await self.database.connect()
        try:
            if not await connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtextextended('usage.recount', 0))"
            ):
                raise DomainError(
                    Category.CONFLICT, "recount_runs", "A recount is running already."
                )
            yield
            # Else the next one would be refused until the server has noticed that this one has gone.
            await connection.execute(
                "SELECT pg_advisory_unlock(hashtextextended('usage.recount', 0))"
            )
        finally:
            connection.terminate()

    async def _load_position(self, topic: str, partition: int) -> int | None:
        return self._positions.get((topic, partition))

    async def _require_whole_log(self, log: str) -> None:
        """What was read of another log would be lost, so there must not be any."""
        async with self.database.read() as session:
            found = await session.execute(
                text(
                    f"SELECT DISTINCT log FROM {LIVE}.consumer_offset"
                    " WHERE consumer = :consumer AND log <> :log AND next_offset > 0"
                ),
                {"consumer": CONSUMER, "log": log},
            )
            others = sorted(found.scalars())
        if others:
            raise DomainError(
                Category.CONFLICT,
                "log_is_not_whole",
                f"Some of what is counted came by {', '.join(others)}; {log} alone would give less.",
            )

    async def _fill(self, reader: LogReader, log: str) -> None:
        async with self.database.write() as session:
            await session.execute(text("SET LOCAL synchronous_commit = off"))
            replay = Replay(Shadow(session), reader, self.progress, self.outcome, self._positions)
            await replay.run(lambda: self._has_what_was_counted(log))
            failpoint("recount.filled")

    async def _catch_up(self, reader: LogReader, log: str) -> None:
        """With what came while the indexes were made, so that counting has to wait for little."""
        while (
            read := await Read.next(reader, BATCH)
        ).positions or not await self._has_what_was_counted(log):
            async with self.database.write() as session:
                await self._apply(session, read)
            self.progress("catch up", self.outcome.events)

    async def _has_what_was_counted(self, log: str) -> bool:
        async with self.database.read() as session:
            rows = await session.execute(
                text(
                    f"SELECT topic, partition, next_offset FROM {LIVE}.consumer_offset"
                    " WHERE consumer = :consumer AND log = :log"
                ),
                {"consumer": CONSUMER, "log": log},
            )
            return all(
                self._positions.get((row.topic, row.partition), 0) >= row.next_offset
                for row in rows
            )

    async def _finish(self, reader: LogReader, log: str, check_only: bool) -> None:
        """Counting waits from here to the commit. Positions are kept aside until then."""
        before, outcome = dict(self._positions), Outcome(**vars(self.outcome))
        try:
            async with self.database.write() as session:
                # Below PostgreSQL's deadlock_timeout: in doubt it is the recount that gives way.
                await session.execute(text("SET LOCAL lock_timeout = '500ms'"))
                await session.execute(
                    text(f"LOCK TABLE {LIVE}.consumer_offset IN SHARE ROW EXCLUSIVE MODE")
                )
                await session.execute(
                    text(f"SELECT pg_advisory_xact_lock(hashtextextended('{GATE}', 0))")
                )
                store = FactStore(session, SHADOW)
                await count_events(session, store, await self._outbox(session), self.outcome)
                while (read := await Read.next(reader, BATCH)).positions:
                    await self._apply(session, read)
                if not await self._has_what_was_counted(log):
                    raise DomainError(
                        Category.UNAVAILABLE, "log_behind", "The log gives less than was counted."
                    )
                self.outcome.changed = await self._differences(session)
                if not check_only:
                    await self._take_place(session, log)
                    self.outcome.took_place = True
                failpoint("recount.swapped")
        except BaseException:
            moved = list(self._positions)
            self._positions, self.outcome = before, outcome
            for topic, partition in moved:
                await reader.reload(topic, partition)
            raise

    async def _outbox(self, session: WriteSession) -> list[Event]:
        """What was declared and is not in the log yet."""
        values = await session.execute(
            text(f"SELECT value FROM {LIVE}.outbox WHERE topic = ANY(:topics) ORDER BY id"),
            {"topics": [str(topic) for topic in TOPICS]},
        )
        return [Event.parse(bytes(value)) for value in values.scalars()]

    async def _apply(self, session: WriteSession, read: Read) -> None:
        store = FactStore(session, SHADOW)
        await count_records(session, store, read.values, self.outcome)
        self._positions |= read.positions

    async def _differences(self, session: WriteSession) -> int:
        """Counting waits meanwhile: both sides are read once, in the order of their keys or by a hash."""
        await session.execute(text("SET LOCAL enable_seqscan = on"))
        await session.execute(text("SET LOCAL work_mem = '64MB'"))
        sums = f'SELECT {_KEY}, latest, "first" FROM {{}}.bucket WHERE latest <> 0 OR "first" <> 0'
        result = await session.execute(
            text(
                f"SELECT count(*) FROM ({sums.format(LIVE)}) AS old"
                f" FULL JOIN ({sums.format(SHADOW)}) AS new USING ({_KEY})"
                " WHERE (old.latest, old.first) IS DISTINCT FROM (new.latest, new.first)"
            )
        )
        changed: int = result.scalar_one()
        return changed

    async def _take_place(self, session: WriteSession, log: str) -> None:
        await session.execute(text(f"CREATE SCHEMA {RETIRED}"))
        for table in COUNTED:
            await session.execute(text(f"ALTER TABLE {LIVE}.{table.name} SET SCHEMA {RETIRED}"))
            await session.execute(text(f"ALTER TABLE {SHADOW}.{table.name} SET SCHEMA {LIVE}"))
        await session.execute(text(f"DROP SCHEMA {RETIRED} CASCADE"))
        for (topic, partition), offset in self._positions.items():
            await session.execute(
                text(
                    f"INSERT INTO {LIVE}.consumer_offset VALUES"
                    " (:consumer, :log, :topic, :partition, :offset)"
                    " ON CONFLICT (consumer, log, topic, partition)"
                    " DO UPDATE SET next_offset = excluded.next_offset"
                ),
                {
                    "consumer": CONSUMER,
                    "log": log,
                    "topic": topic,
                    "partition": partition,
                    "offset": offset,
                },
            )

    async def _execute(self, statement: str) -> None:
        async with self.database.write() as session:
            await session.execute(text(statement))


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", "") in ("55P03", "40P01")
