"""Group commit: who shares a commit, who is told what, and what happens when things go wrong."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest

from socle.batches import Batcher
from socle.errors import Category, DomainError
from socle.idgen import uuid7
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Entry:
    id: UUID
    size: int


def entry(size: int = 10) -> Entry:
    return Entry(uuid7(), size)


class Registry:
    """Records the batches; commits only while its gate is open."""

    def __init__(self) -> None:
        self.batches: list[list[Entry]] = []
        self.durable: list[UUID] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most_under_way = 0
        self.refuse: Callable[[Sequence[Entry]], Exception | None] = lambda _: None

    async def commit(self, entries: Sequence[Entry]) -> list[bool]:
        self.batches.append(list(entries))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if error := self.refuse(entries):
            raise error
        self.durable += [one.id for one in entries]
        return [True] * len(entries)

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def writer(
    registry: Registry, *, items: int = 4, size: int = 10_000, flushes: int = 1, queue: int = 10_000
) -> Batcher[Entry, bool]:
    return Batcher(
        registry.commit,
        max_items=items,
        max_bytes=size,
        max_flushes=flushes,
        max_queue_bytes=queue,
        refusal="Too many are being stored.",
    )


@pytest.fixture
async def registry() -> Registry:
    return Registry()


async def started(*tasks: "asyncio.Task[bool]") -> None:
    """Lets every task reach its place in the queue."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


class TestSharing:
    async def test_commits_a_lone_entry_at_once(self, registry: Registry) -> None:
        assert await writer(registry).join(entry()) is True
        assert registry.sizes == [1]

    async def test_gathers_what_arrives_while_a_commit_is_under_way(
        self, registry: Registry
    ) -> None:
        batches = writer(registry)
        registry.gate.clear()
        first = asyncio.create_task(batches.join(entry()))
        await started(first)
        others = [asyncio.create_task(batches.join(entry())) for _ in range(3)]
        await started(*others)
        registry.gate.set()

        assert await asyncio.gather(first, *others) == [True] * 4
        assert registry.sizes == [1, 3]

    async def test_serves_in_order_of_arrival_when_there_are_more_than_a_batch(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, items=4)
        entries = [entry() for _ in range(11)]

        await asyncio.gather(*(batches.join(one) for one in entries))

        assert registry.durable == [one.id for one in entries]
        assert max(registry.sizes) <= 4

    async def test_runs_no_more_commits_at_once_than_allowed(self, registry: Registry) -> None:
        batches = writer(registry, items=1, flushes=2)
        registry.gate.clear()
        tasks = [asyncio.create_task(batches.join(entry())) for _ in range(9)]
        await started(*tasks)
        registry.gate.set()
        await asyncio.gather(*tasks)

        assert registry.most_under_way == 2

    async def test_gives_each_its_own_answer(self, registry: Registry) -> None:
        async def odd_ones(entries: Sequence[Entry]) -> list[bool]:
            await registry.gate.wait()
            return [one.size % 2 == 1 for one in entries]

        batches = Batcher(
            odd_ones,
            max_items=4,
            max_bytes=100,
            max_flushes=1,
            max_queue_bytes=100,
            refusal="",
        )
        registry.gate.clear()
        tasks = [asyncio.create_task(batches.join(entry(size))) for size in (1, 2, 3, 4, 5)]
        await started(*tasks)
        registry.gate.set()

        assert await asyncio.gather(*tasks) == [True, False, True, False, True]


class TestSize:
    async def test_splits_when_the_bytes_are_too_many_for_one_commit(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, items=100, size=25)
        registry.gate.clear()
        tasks = [asyncio.create_task(batches.join(entry(10))) for _ in range(6)]
        await started(*tasks)
        registry.gate.set()
        await asyncio.gather(*tasks)

        assert all(sum(one.size for one in batch) <= 25 for batch in registry.batches)
        assert sum(registry.sizes) == 6

    async def test_takes_one_alone_when_it_is_larger_than_a_batch(self, registry: Registry) -> None:
        assert await writer(registry, size=5).join(entry(50)) is True

    async def test_refuses_at_once_when_the_queue_holds_its_budget(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, queue=25)
        registry.gate.clear()
        waiting = [asyncio.create_task(batches.join(entry(10))) for _ in range(2)]
        await started(*waiting)

        with pytest.raises(DomainError) as refusal:
            await batches.join(entry(10))
        registry.gate.set()
        await asyncio.gather(*waiting)

        assert refusal.value.category is Category.BUSY
        assert refusal.value.headers == {"Retry-After": "1"}
        assert refusal.value.detail == "Too many are being stored."
        assert await batches.join(entry(10)) is True

    async def test_counts_a_body_until_it_is_committed_when_its_client_is_gone(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, queue=25)
        registry.gate.clear()
        gone = [asyncio.create_task(batches.join(entry(10))) for _ in range(2)]
        await started(*gone)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)

        with pytest.raises(DomainError):
            await batches.join(entry(10))
        registry.gate.set()
        await batches.close()

        assert await batches.join(entry(10)) is True


class TestFailure:
    async def test_reaches_everybody_who_waits_when_the_database_is_gone(
        self, registry: Registry
    ) -> None:
        gone = DomainError(Category.UNAVAILABLE, "registry_unavailable", "gone")
        registry.refuse = lambda _: gone
        batches = writer(registry)
        answers = await asyncio.gather(
            *(batches.join(entry()) for _ in range(5)), return_exceptions=True
        )

        assert answers == [gone] * 5
        assert sum(registry.sizes) == 5  # nobody's entry was tried twice

    async def test_starts_again_when_an_answer_brings_the_next_entry_at_once(
        self, registry: Registry
    ) -> None:
        batches = writer(registry)
        for _ in range(3):  # each is written in the very step in which the former was answered
            assert await asyncio.wait_for(batches.join(entry()), timeout=PATIENCE_SECONDS) is True

    async def test_goes_on_when_a_commit_has_failed(self, registry: Registry) -> None:
        registry.refuse = lambda _: RuntimeError("once")
        batches = writer(registry)
        with pytest.raises(RuntimeError):
            await batches.join(entry())
        registry.refuse = lambda _: None

        assert await batches.join(entry()) is True

    async def test_reaches_only_the_culprit_when_the_database_cannot_take_one_entry(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, items=10)
        entries = [entry() for _ in range(5)]
        poison = entries[2].id
        registry.refuse = lambda them: (
            ValueError("poison") if poison in {one.id for one in them} else None
        )
        answers = await asyncio.gather(
            *(batches.join(one) for one in entries), return_exceptions=True
        )

        assert [answer is True for answer in answers] == [True, True, False, True, True]
        assert isinstance(answers[2], ValueError)

    async def test_keeps_the_document_when_its_client_has_gone(self, registry: Registry) -> None:
        batches = writer(registry)
        registry.gate.clear()
        gone, stays = entry(), entry()
        cancelled = asyncio.create_task(batches.join(gone))
        waiting = asyncio.create_task(batches.join(stays))
        await started(cancelled, waiting)
        cancelled.cancel()
        registry.gate.set()

        assert await waiting is True
        assert cancelled.cancelled()
        assert registry.durable == [gone.id, stays.id]


class TestClose:
    async def test_answers_everybody_who_was_accepted_before_it_returns(
        self, registry: Registry
    ) -> None:
        batches = writer(registry, items=2)
        registry.gate.clear()
        tasks = [asyncio.create_task(batches.join(entry())) for _ in range(5)]
        await started(*tasks)
        closing = asyncio.create_task(batches.close())
        await asyncio.sleep(0)
        assert not closing.done()
        registry.gate.set()
        await closing

        assert len(registry.durable) == 5
        assert await asyncio.gather(*tasks) == [True] * 5

    async def test_returns_at_once_when_nothing_is_under_way(self, registry: Registry) -> None:
        await asyncio.wait_for(writer(registry).close(), timeout=PATIENCE_SECONDS)
