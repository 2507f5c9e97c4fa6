"""A scene: events of one space are published, relayed, consumed, and their results looked at."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from socle.clock import monotonic, wall
from socle.db.database import Database, WriteSession
from socle.events.consumer import Consumer, Handler
from socle.events.dead_letters import DeadLetter, list_dead_letters
from socle.events.envelope import Event
from socle.events.log import EventLog, Record
from socle.events.outbox import publish
from socle.events.relay import Relay
from socle.events.topics import Topic
from tests.patience import PATIENCE_SECONDS

SCHEMA = "usage"
TOPIC = Topic.PSC_SESSIONS  # a broker is shared by test runs, and these tests leave rubbish on it


@dataclass
class Scene:
    database: Database
    event_log: EventLog
    space: str

    def event(self, subject: str, number: int = 0) -> Event:
        return Event.new(
            "psc.session.opened.v1",
            source="/tests",
            subject=subject,
            space=self.space,
            time=wall(),
            data={"number": number},
        )

    async def publish(self, *events: Event) -> None:
        async with self.database.write() as session:
            await publish(session, SCHEMA, events)

    async def note(self, session: WriteSession, events: Sequence[Event]) -> None:
        """A handler without any idempotence of its own: what it is given twice it counts twice."""
        for event in events:
            if event.space == self.space:
                await session.execute(
                    text("INSERT INTO seen (space, subject, number) VALUES (:space, :subject, :n)"),
                    {"space": self.space, "subject": event.subject, "n": event.data["number"]},
                )

    async def seen(self) -> list[tuple[str, int]]:
        """In the order in which they were handled."""
        async with self.database.read() as session:
            rows = await session.execute(
                text("SELECT subject, number FROM seen WHERE space = :space ORDER BY id"),
                {"space": self.space},
            )
            return [(row.subject, row.number) for row in rows]

    async def waiting(self, space: str | None = None) -> int:
        """Events of the scene that the relay has not sent, or not yet forgotten; `""` for those of
        every test."""
        async with self.database.read() as session:
            result = await session.execute(
                text(
                    f"SELECT count(*) FROM {SCHEMA}.outbox"
                    " WHERE position(convert_to(:space, 'UTF8') in value) > 0"
                ),
                {"space": self.space if space is None else space},
            )
            return int(result.scalar_one())

    async def until_nothing_waits(self, space: str | None = None) -> None:
        async def nothing() -> bool:
            return await self.waiting(space) == 0

        await self.until(nothing)

    def relay(self, event_log: EventLog | None = None) -> Relay:
        return Relay(self.database, SCHEMA, event_log or self.event_log)

    def consumer(self, handler: Handler | None = None) -> Consumer:
        return Consumer(
            self.database, SCHEMA, self.space, (TOPIC,), handler or self.note, self.event_log
        )

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while not await condition():
            assert monotonic() < deadline, f"it did not happen; seen: {await self.seen()}"
            await asyncio.sleep(0.05)

    async def until_seen(self, count: int) -> None:
        async def enough() -> bool:
            return len(await self.seen()) >= count

        await self.until(enough)


@asynccontextmanager
async def running(*workers: Relay | Consumer) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Workers at work; they are cancelled at the end, and what they died of is not raised here."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(name="running")
def running_fixture() -> Any:
    return running


@pytest.fixture
async def make_scene(database: Database, space: str) -> Callable[[EventLog], Scene]:
    async with database.write() as session:
        await session.execute(
            text(
                "CREATE TABLE IF NOT EXISTS seen (id bigint GENERATED ALWAYS AS IDENTITY,"
                " space text, subject text, number integer)"
            )
        )
    return lambda event_log: Scene(database, event_log, space)


@pytest.fixture
def scene(make_scene: Callable[[EventLog], Scene], event_log: EventLog) -> Scene:
    return make_scene(event_log)


@dataclass
class RecordingLog:
    """Hands on to a log, and remembers the keys that were appended through it."""

    inner: EventLog
    keys: list[str]

    async def append(self, records: Sequence[Record]) -> None:
        self.keys += [record.key for record in records]
        await self.inner.append(records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture
def recording() -> Callable[[EventLog], RecordingLog]:
    return lambda inner: RecordingLog(inner, [])


@pytest.fixture
def dead_letters_of() -> Callable[[Scene], Awaitable[list[DeadLetter]]]:
    """Of the scene's own consumer and records; the log is shared, with rubbish of other tests."""

    async def listed(scene: Scene) -> list[DeadLetter]:
        async with scene.database.read() as session:
            letters = await list_dead_letters(session, SCHEMA, limit=10_000)
        own = [letter for letter in letters if letter.consumer == scene.space]
        return [letter for letter in own if scene.space.encode() in letter.value]

    return listed
