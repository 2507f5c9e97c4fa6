"""The relay: in order, one at a time, nothing lost and nothing stepped over."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from socle.events.outbox import publish
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.postgres


class Killed(Exception):
    """Stands for SIGKILL: nothing in the code under test catches it."""


class TestOrder:
    async def test_is_kept_per_key(self, scene: Any, running: Any) -> None:
        async with running(scene.relay(), scene.consumer()):
            for number in range(20):
                await scene.publish(*(scene.event(key, number) for key in ("a", "b", "c")))
            await scene.until_seen(60)
            await scene.until_nothing_waits()
        seen = await scene.seen()
        for key in ("a", "b", "c"):
            assert [number for subject, number in seen if subject == key] == list(range(20))

    async def test_steps_over_nothing_when_a_transaction_commits_late(
        self, scene: Any, running: Any
    ) -> None:
        """The late one holds the smaller id; a high-water mark would have passed it."""
        async with running(scene.relay(), scene.consumer()):
            async with scene.database.write() as late:
                await publish(late, "usage", [scene.event("late")])
                await late.flush()
                await scene.publish(scene.event("early"))
                await scene.until_seen(1)
            await scene.until_seen(2)
        assert await scene.seen() == [("early", 0), ("late", 0)]

    async def test_sends_nothing_when_the_fact_was_rolled_back(
        self, scene: Any, running: Any
    ) -> None:
        with suppress(Killed):
            async with scene.database.write() as session:
                await publish(session, "usage", [scene.event("never")])
                raise Killed
        async with running(scene.relay(), scene.consumer()):
            await scene.publish(scene.event("after"))
            await scene.until_seen(1)
        assert await scene.seen() == [("after", 0)]


@pytest.fixture
async def fresh(scene: Any, running: Any) -> Any:
    """A scene whose events are the next that a relay sends. Other tests leave theirs in the outbox:
    more than a batch, or some under the same keys."""
    async with running(scene.relay()):
        await scene.until_nothing_waits("")
    return scene


class TestCrash:
    async def test_counts_once_when_the_relay_dies_between_send_and_mark(
        self, fresh: Any, running: Any, monkeypatch: pytest.MonkeyPatch, recording: Any
    ) -> None:
        def die(_name: str) -> None:
            raise Killed

        scene = fresh
        await scene.publish(*(scene.event("a", number) for number in range(5)))
        log = recording(scene.event_log)
        with monkeypatch.context() as patch:
            patch.setattr("socle.events.relay.failpoint", die)
            with pytest.raises(Killed):
                await asyncio.wait_for(scene.relay(log).run(), PATIENCE_SECONDS)
        assert log.keys.count("a") == 5, "the batch was sent before the relay died"
        assert await scene.waiting() == 5, "and was not marked"
        async with running(scene.relay(log), scene.consumer()):
            await scene.publish(scene.event("a", 5))
            await scene.until_seen(6)
        assert log.keys.count("a") == 11, "the batch was sent again"
        assert await scene.seen() == [("a", number) for number in range(6)]


class TestLock:
    async def test_makes_a_second_relay_wait_until_the_first_ends(
        self, fresh: Any, running: Any, recording: Any
    ) -> None:
        scene = fresh
        first, second = recording(scene.event_log), recording(scene.event_log)
        async with running(scene.consumer()):
            async with running(scene.relay(first)):
                await scene.publish(scene.event("one"))
                await scene.until_seen(1)
                async with running(scene.relay(second)):
                    await scene.publish(scene.event("two"))
                    await scene.until_seen(2)
                    await asyncio.sleep(0.3)
            assert [key for key in first.keys if key in ("one", "two")] == ["one", "two"]
            assert second.keys == []
            async with running(scene.relay(second)):
                await scene.publish(scene.event("three"))
                await scene.until_seen(3)
        assert "three" in second.keys
