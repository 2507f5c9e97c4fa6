"""The consumer: each event counted once, whatever crashes and whatever the log repeats."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.envelope import Event
from socle.events.log import Record
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.postgres


class Killed(Exception):
    """Stands for SIGKILL: nothing in the code under test catches it."""


class TestCounting:
    async def test_is_exact_when_the_consumer_dies_between_handle_and_commit(
        self, scene: Any, running: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(_name: str) -> None:
            raise Killed

        async with running(scene.relay()):
            await scene.publish(*(scene.event("a", number) for number in range(5)))
            with monkeypatch.context() as patch:
                patch.setattr("socle.events.consumer.failpoint", die)
                with pytest.raises(Killed):
                    await asyncio.wait_for(scene.consumer().run(), PATIENCE_SECONDS)
            assert await scene.seen() == []
            async with running(scene.consumer()):
                await scene.until_seen(5)
        assert await scene.seen() == [("a", number) for number in range(5)]

    async def test_goes_on_where_it_was_when_the_consumer_restarts(
        self, scene: Any, running: Any
    ) -> None:
        async with running(scene.relay()):
            for number in range(3):
                async with running(scene.consumer()):
                    await scene.publish(scene.event("a", number))
                    await scene.until_seen(number + 1)
        assert await scene.seen() == [("a", 0), ("a", 1), ("a", 2)]

    async def test_is_exact_when_the_log_repeats_a_record(self, scene: Any, running: Any) -> None:
        event = scene.event("a", 1)
        record = Record("socle.psc.sessions", "a", event.value)
        await scene.event_log.append([record, record])
        await scene.event_log.append([record])
        async with running(scene.relay(), scene.consumer()):
            await scene.publish(scene.event("a", 2))
            await scene.until_seen(2)
        assert await scene.seen() == [("a", 1), ("a", 2)]

    async def test_is_exact_when_two_consumers_run_at_once(self, scene: Any, running: Any) -> None:
        async with running(scene.relay(), scene.consumer(), scene.consumer()):
            for number in range(10):
                await scene.publish(*(scene.event(key, number) for key in "abcdef"))
            await scene.until_seen(60)
            await asyncio.sleep(0.5)
        assert len(await scene.seen()) == len(set(await scene.seen())) == 60


class TestLag:
    async def test_is_measured_from_the_event_to_its_commit(self, scene: Any, running: Any) -> None:
        """At least of the scene's own events: others pass by on the same log."""

        async def measured() -> bool:
            return lag_of(scene.space)[0] >= 3

        assert lag_of(scene.space) == (0, 0)
        async with running(scene.relay(), scene.consumer()):
            await scene.publish(*(scene.event("a", number) for number in range(3)))
            await scene.until_seen(3)
            await scene.until(measured)
        assert lag_of(scene.space)[1] > 0


def lag_of(consumer: str) -> tuple[float, float]:
    """How many events were measured, and the sum of their seconds."""
    labels, name = {"consumer": consumer}, "socle_event_lag_seconds"
    return tuple(  # type: ignore[return-value]
        REGISTRY.get_sample_value(f"{name}_{part}", labels) or 0 for part in ("count", "sum")
    )


class TestRetry:
    async def test_waits_and_buries_nothing_when_a_dependency_is_away(
        self, scene: Any, running: Any, dead_letters_of: Any
    ) -> None:
        refusals = 0

        async def away_once(session: WriteSession, events: Sequence[Event]) -> None:
            nonlocal refusals
            if refusals == 0 and any(event.space == scene.space for event in events):
                refusals += 1
                raise DomainError(Category.UNAVAILABLE, "ins_away", "INS does not answer.")
            await scene.note(session, events)

        async with running(scene.relay(), scene.consumer(away_once)):
            await scene.publish(scene.event("a", 1))
            await scene.until_seen(1)
        assert refusals == 1
        assert await scene.seen() == [("a", 1)]
        assert await dead_letters_of(scene) == []
