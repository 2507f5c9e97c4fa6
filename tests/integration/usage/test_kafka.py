"""Counting and recounting on a real broker: consumers come, go and die, and no count moves."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from services.usage import replay
from services.usage.counting import count
from services.usage.domain.measures import Beneficiary, Documents
from services.usage.recount import Outcome, Recount
from services.usage.service import apply_events
from services.usage.workers import CONSUMER, TOPICS
from socle.clock import monotonic
from socle.db.database import Database
from socle.embedded.kafka import EmbeddedKafka
from socle.errors import DomainError
from socle.events.consumer import Consumer
from socle.events.envelope import Event
from socle.events.kafka_log import KafkaLog, KafkaReader
from socle.events.log import Record
from socle.events.topics import Topic, topic_of
from socle.idgen import random_uuid
from socle.testing.stack import free_ports
from tests.databases import new_database
from tests.patience import PATIENCE_SECONDS

from .conftest import FINESS, MARCH, Usage
from .histories import PERIODS
from .test_order import deliveries, differences

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(400),
    pytest.mark.usefixtures("kafka_bootstrap"),
]

REPORTS = Documents(
    count="documents", types=frozenset(["11502-2"]), levels=frozenset(["N3"]), ins="qualified"
)
PARTITIONS = 3
JARS = Path(__file__).resolve().parents[3] / ".socle" / "test" / "kafka" / "libs"
"""Those that scripts/test has fetched, where it has."""


@dataclass
class Counted:
    database: Database
    log: KafkaLog
    bootstrap: str
    space: str

    async def tell(self, *events: Event) -> None:
        """Each under a key of its own, so that they spread over the partitions."""
        await self.log.append([Record(topic_of(it.type), str(it.id), it.value) for it in events])

    def consumer(self, log: "Watched | None" = None) -> Consumer:
        return Consumer(self.database, "usage", CONSUMER, TOPICS, apply_events, log or self.log)

    async def recount(self, *, check_only: bool = False) -> Outcome:
        return await Recount(self.database, self.log).run(check_only=check_only)

    async def reports(self) -> int:
        async with self.database.read() as session:
            of = Beneficiary("structure", FINESS)
            return await count(session, self.space, REPORTS, of, PERIODS[0])

    async def until(self, reports: int) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while await self.reports() < reports and monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert await self.reports() == reports

    async def until_heard(self, events: Sequence[Event]) -> None:
        deadline, statement = (
            monotonic() + PATIENCE_SECONDS,
            ("SELECT count(*) FROM usage.inbox WHERE consumer = 'usage' AND event_id = ANY(:ids)"),
        )
        heard = 0
        while heard < len(events) and monotonic() < deadline:
            async with self.database.read() as session:
                ids = {"ids": [event.id for event in events]}
                heard = (await session.execute(text(statement), ids)).scalar_one()
            await asyncio.sleep(0.05)
        assert heard == len(events)

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        async with self.database.read() as session:
            return [tuple(row) for row in await session.execute(text(statement))]


@dataclass
class Watched:
    """Hands on to a log, and remembers who reads."""

    inner: KafkaLog
    _reader: KafkaReader | None = None

    @asynccontextmanager
    async def reader(self, *arguments: Any) -> AsyncIterator[KafkaReader]:
        async with self.inner.reader(*arguments) as reader:
            self._reader = reader
            yield reader

    @property
    def partitions(self) -> set[int]:
        """Of the documents' topic, that this reader has now."""
        assigned = self._reader.client.assignment() if self._reader else ()
        return {it.partition for it in assigned if it.topic == Topic.DMP_DOCUMENTS}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@asynccontextmanager
async def counting(*consumers: Consumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def kafka() -> Iterator[EmbeddedKafka]:
    """A broker of this module's own: a recount reads all that its log holds, and others leave rubbish."""
    with (
        tempfile.TemporaryDirectory(prefix="socle-kafka-") as home,
        EmbeddedKafka(
            Path(home), port=free_ports(1)[0], libs=JARS if JARS.is_dir() else None
        ) as kafka,
    ):
        yield kafka


@pytest.fixture(scope="module")
async def own_database(postgres_server: str) -> AsyncIterator[Database]:
    async with new_database(postgres_server) as url:
        database = Database(url, application="socle-test", pool_size=10)
        yield database
        await database.close()


@pytest.fixture
async def counted(
    own_database: Database, kafka: EmbeddedKafka, space: str
) -> AsyncIterator[Counted]:
    log = KafkaLog(kafka.bootstrap, client="socle-test", partitions=PARTITIONS)
    yield Counted(own_database, log, kafka.bootstrap, space)
    await log.close()


@pytest.fixture
def reports(usage: Usage) -> list[Event]:
    return [usage.registered(created_at=MARCH + timedelta(days=day % 90)) for day in range(120)]


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(delivery=deliveries())
async def test_counts_and_recounts_any_history_as_the_definitions_say(
    counted: Counted, delivery: tuple[list[Event], list[tuple[list[Event], bool]]]
) -> None:
    events, batches = delivery
    space, own = f"t-{random_uuid().hex}", random_uuid().int >> 64

    def here(event: Event) -> Event:
        """In this space, and with an id that no other history has: the consumer counts an id once."""
        return replace(event, space=space, id=UUID(int=event.id.int | own))

    async with counting(counted.consumer()):
        for batch, _ in batches:
            await counted.tell(*map(here, batch))
        await counted.until_heard([here(event) for event in events])
        assert await differences(counted.database, space, events) == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replay, "BATCH", 3)
            outcome = await counted.recount()
    assert (outcome.changed, outcome.took_place) == (0, True)
    assert await differences(counted.database, space, events) == []


async def test_two_consumers_share_the_partitions_and_the_total_is_that_of_one(
    counted: Counted, reports: list[Event]
) -> None:
    one, other = Watched(counted.log), Watched(counted.log)

    def shared() -> bool:
        """Each has some: not so while they are shared out, or one has not heard yet of its new ones."""
        both = one.partitions and other.partitions and not one.partitions & other.partitions
        return bool(both) and one.partitions | other.partitions == set(range(PARTITIONS))

    async def until_shared() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not shared():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async with counting(counted.consumer(one), counted.consumer(other)):
        await counted.tell(*reports[:60])
        await counted.until(60)
        await until_shared()
        await counted.tell(*reports[60:], *reports[:30])
        await counted.until(len(reports))
        await until_shared()
    assert (await counted.recount(check_only=True)).changed == 0


async def test_no_count_moves_when_a_consumer_joins_and_leaves_during_a_recount(
    counted: Counted, reports: list[Event]
) -> None:
    async with counting(counted.consumer()):
        await counted.tell(*reports[:40])
        recount = asyncio.create_task(counted.recount())
        async with counting(counted.consumer()):
            for event in reports[40:80]:
                await counted.tell(event, event)
            assert (await recount).took_place
            assert (await counted.recount()).took_place
        await counted.tell(*reports[80:])
        await counted.until(len(reports))
    outcome = await counted.recount()
    assert outcome.changed == 0
    assert await counted.reports() == len(reports)


@pytest.mark.parametrize("place", ["recount.filled", "recount.swapped"])
async def test_a_recount_that_is_killed_changes_nothing_and_can_be_run_again(
    counted: Counted, reports: list[Event], place: str
) -> None:
    async with counting(counted.consumer()):
        await counted.tell(*reports)
        await counted.until(len(reports))
        killed = await recount_process(counted, place)
        assert killed == -signal.SIGKILL
        assert await counted.reports() == len(reports)
        # Of what was not committed nothing is left, or the next one begins anew.
        assert (await again(counted)).took_place
        assert (await counted.recount()).changed == 0
        assert await counted.reports() == len(reports)
    left = await counted.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'usage\\_%'")
    assert left == []


async def again(counted: Counted) -> Outcome:
    """The server may take a moment to notice that the killed one has gone."""
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await counted.recount()
        except DomainError as error:
            if error.code != "recount_runs" or monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def recount_process(counted: Counted, place: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOCLE_")}
    own = {
        "SOCLE_DATABASE_URL": counted.database.url.render_as_string(hide_password=False),
        "SOCLE_EVENTS": "kafka",
        "SOCLE_KAFKA_BOOTSTRAP": counted.bootstrap,
        "SOCLE_FAILPOINTS": f"{place}=1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "socle.cli", "usage", "recount", env=kept | own,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait()
