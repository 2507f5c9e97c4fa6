"""A recount of the log gives the figures that were counted, and repairs those that were not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.usage import changes, replay, service, tables
from services.usage.api.act_in import ActIn
from services.usage.counting import count
from services.usage.domain.measures import Acts, Beneficiary, Documents
from services.usage.events import ACTIVITY_DECLARED, TOTALS_DECLARED, activity_event
from services.usage.recount import Outcome, Recount
from services.usage.service import apply_events
from services.usage.workers import CONSUMER, TOPICS
from socle.clock import monotonic
from socle.db.database import Database
from socle.errors import DomainError
from socle.events.consumer import Consumer
from socle.events.embedded_log import EmbeddedLog
from socle.events.envelope import Event
from socle.events.log import Record
from socle.events.topics import topic_of
from socle.idgen import random_uuid
from tests.contract.test_tables import differences as table_differences
from tests.databases import new_database

from .conftest import FINESS, MARCH, Usage
from .histories import PERIODS
from .test_order import deliver, deliveries, differences

REPORTS = Documents(
    count="documents", types=frozenset(["11502-2"]), levels=frozenset(["N3"]), ins="qualified"
)
PATIENCE = 90.0  # seconds; it bounds failures alone


@dataclass
class Counted:
    database: Database
    log: EmbeddedLog
    space: str

    async def tell(self, *events: Event) -> None:
        await self.log.append(
            [Record(topic_of(event.type), event.subject, event.value) for event in events]
        )

    async def recount(self, *, check_only: bool = False) -> Outcome:
        return await Recount(self.database, self.log).run(check_only=check_only)

    async def reports(self) -> int:
        async with self.database.read() as session:
            return await count(
                session, self.space, REPORTS, Beneficiary("structure", FINESS), PERIODS[0]
            )


@pytest.fixture(scope="session")
async def recounted(postgres_server: str) -> AsyncIterator[Database]:
    """A database of its own: a recount is of all spaces, and of the whole log."""
    async with new_database(postgres_server) as url:
        database = Database(url, application="socle-test")
        yield database
        await database.close()


@pytest.fixture
def counted(recounted: Database, space: str) -> Counted:
    return Counted(recounted, EmbeddedLog(recounted), space)


@pytest.fixture
def reports(usage: Usage) -> list[Event]:
    return [usage.registered(created_at=MARCH + timedelta(days=day)) for day in range(20)]


async def until(counted: Counted, reports: int) -> None:
    deadline = monotonic() + PATIENCE
    while await counted.reports() < reports and monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert await counted.reports() == reports


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    delivery=deliveries(),
    at_once=st.sampled_from((1, 3, 10_000)),
    names=st.sampled_from((0, 2, 10_000)),
)
async def test_gives_the_same_figures_after_any_history(
    counted: Counted,
    delivery: tuple[list[Event], list[tuple[list[Event], bool]]],
    at_once: int,
    names: int,
) -> None:
    """In small batches more facts meet an earlier one, and are put off; of few names most are told again."""
    events, batches = delivery
    space = f"t-{random_uuid().hex}"
    await deliver(counted.database, space, batches)
    await counted.tell(
        *(Event(e.type, e.source, e.subject, space, e.time, e.data, e.id) for e in events)
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "BATCH", at_once)
        patch.setattr(changes, "MAX_NAMES", names)
        outcome = await counted.recount()

    assert (outcome.changed, outcome.took_place) == (0, True)
    assert await differences(counted.database, space, events) == []


async def test_repairs_a_sum_and_a_fact_that_were_lost(
    counted: Counted, reports: list[Event]
) -> None:
    await counted.tell(*reports)
    async with counted.database.write() as session:
        await apply_events(session, reports[:-1])
        await session.execute(
            text("UPDATE usage.bucket SET latest = latest + 5 WHERE space = :space"),
            {"space": counted.space},
        )

    checked = await counted.recount(check_only=True)
    assert (checked.took_place, await counted.reports()) == (False, 19 * 6)
    outcome = await counted.recount()

    assert checked.changed == outcome.changed > 0
    assert await counted.reports() == 20


async def test_leaves_tables_that_are_those_of_the_migrations(counted: Counted) -> None:
    await counted.recount()
    async with counted.database.engine.connect() as connection:
        assert await connection.run_sync(table_differences, "usage", tables.metadata) == []
        left = await connection.execute(
            text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'usage\\_%'")
        )
        assert left.scalar_one() == 0


async def test_keeps_what_was_declared_and_is_not_in_the_log_yet(counted: Counted) -> None:
    act = ActIn(kind="consultation.done", structure=FINESS, act_id="C1", act_at=MARCH)
    event = activity_event(ACTIVITY_DECLARED, counted.space, act.data(patient=None), MARCH)
    async with counted.database.write() as session:
        await service.tell(session, [event])

    await counted.recount()

    async with counted.database.read() as session:
        measure = Acts(count="acts", activity="consultation.done")
        of = Beneficiary("structure", FINESS)
        assert await count(session, counted.space, measure, of, PERIODS[0]) == 1


async def test_goes_on_where_one_event_can_never_be_counted(
    counted: Counted, reports: list[Event]
) -> None:
    bad = Event.new("dmp.document.deleted.v1", source="/dmp", subject="x", space=counted.space,
                    time=MARCH, data={})  # fmt: skip
    others = (await counted.recount()).unreadable  # the log is shared with other tests
    await counted.tell(*reports[:7], bad, *reports[7:])
    await counted.log.append([Record(TOPICS[0], "x", b"not an event")])

    outcome = await counted.recount()

    assert (outcome.unreadable - others, await counted.reports()) == (2, 20)


async def test_leaves_out_what_no_index_and_no_column_takes(
    counted: Counted, usage: Usage, reports: list[Event]
) -> None:
    """The first is put off before it is written; the second undoes its batch, which is then put off; the
    third fits into the tables of facts, and its sum into no index."""
    owner = {"structure": FINESS, "professional": None, "item": "SU4"}
    month = {"start": "2022-03-01", "end": "2022-04-01"}
    totals = {**owner, **month, "numerator": 2**63, "denominator": None}
    others = (await counted.recount()).unreadable
    await counted.tell(
        *reports[:9],
        usage.registered(unique_id="".join(random_uuid().hex for _ in range(500))),
        activity_event(TOTALS_DECLARED, counted.space, totals, MARCH),
        Event.new("psc.session.opened.v1", source="/psc", subject="x", space=counted.space, time=MARCH,
                  data={"auth_mode": "".join(random_uuid().hex for _ in range(500))}),
        *reports[9:],
    )  # fmt: skip

    outcome = await counted.recount()

    assert (outcome.unreadable - others, await counted.reports()) == (3, 20)


async def test_buries_what_no_table_takes_and_counts_the_rest_of_the_batch(
    counted: Counted, usage: Usage
) -> None:
    many = [usage.registered() for _ in range(300)]
    bad = usage.registered(unique_id="a\0b")
    await counted.tell(*many[:150], bad, *many[150:])
    consumer = Consumer(
        counted.database, "usage", CONSUMER, TOPICS, apply_events, EmbeddedLog(counted.database)
    )
    working = asyncio.create_task(consumer.run())
    try:
        await until(counted, len(many))
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    async with counted.database.read() as session:
        buried = await session.execute(
            text(
                "SELECT count(*) FROM usage.dead_letter WHERE convert_from(value, 'UTF8') LIKE :id"
            ),
            {"id": f"%{bad.id}%"},
        )
        assert buried.scalar_one() == 1

    await counted.recount()
    assert await counted.reports() == len(many)


async def test_counts_each_event_once_while_the_consumer_works(
    counted: Counted, reports: list[Event]
) -> None:
    consumer = Consumer(
        counted.database, "usage", CONSUMER, TOPICS, apply_events, EmbeddedLog(counted.database)
    )
    working = asyncio.create_task(consumer.run())
    try:
        for position, event in enumerate(reports):
            await counted.tell(event, event)
            if position % 7 == 3:
                await counted.recount()
        await until(counted, len(reports))
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert (await counted.recount()).changed == 0


async def test_refuses_when_another_log_was_counted_too(counted: Counted) -> None:
    async with counted.database.write() as session:
        await session.execute(
            text("INSERT INTO usage.consumer_offset VALUES ('usage', 'kafka:x', 't', 0, 7)")
        )
    try:
        with pytest.raises(DomainError, match="log_is_not_whole"):
            await counted.recount()
    finally:
        async with counted.database.write() as session:
            await session.execute(text("DELETE FROM usage.consumer_offset WHERE log = 'kafka:x'"))


async def test_runs_once_at_a_time(counted: Counted) -> None:
    other = await counted.database.connect()
    await other.execute("SELECT pg_advisory_lock(hashtextextended('usage.recount', 0))")
    try:
        with pytest.raises(DomainError, match="recount_runs"):
            await counted.recount()
    finally:
        other.terminate()
