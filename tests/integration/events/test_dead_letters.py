"""Dead letters: kept with the reason, listed, shown, and replayed once."""

from collections.abc import Sequence
from typing import Any

import pytest

from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.dead_letters import get_dead_letter, replay
from socle.events.envelope import Event
from socle.events.log import Record

pytestmark = pytest.mark.postgres

TOPIC = "socle.psc.sessions"


class Refusing:
    """A handler that refuses one subject until it is repaired."""

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self.repaired = False

    async def __call__(self, session: WriteSession, events: Sequence[Event]) -> None:
        for event in events:
            if event.space == self.scene.space and event.subject == "bad" and not self.repaired:
                raise DomainError(Category.UNPROCESSABLE, "no_finess", "No such structure.")
        await self.scene.note(session, events)


class TestBury:
    async def test_keeps_the_event_and_counts_the_others_when_one_is_refused(
        self, scene: Any, running: Any, dead_letters_of: Any
    ) -> None:
        bad = scene.event("bad")
        await scene.publish(scene.event("a", 1), bad, scene.event("a", 2))
        async with running(scene.relay(), scene.consumer(Refusing(scene))):
            await scene.until_seen(2)
            await scene.until(lambda: dead_letters_of(scene))
            await scene.publish(scene.event("a", 3))
            await scene.until_seen(3)
        assert await scene.seen() == [("a", 1), ("a", 2), ("a", 3)]
        (letter,) = await dead_letters_of(scene)
        assert letter.reason == "no_finess: No such structure."
        assert letter.topic == TOPIC
        assert letter.value == bad.value
        assert "value" not in letter.summary()

    async def test_sends_the_event_to_the_dead_letter_topic(
        self, scene: Any, running: Any, dead_letters_of: Any
    ) -> None:
        bad = scene.event("bad")
        await scene.publish(bad)
        async with running(scene.relay(), scene.consumer(Refusing(scene))):
            await scene.until(lambda: dead_letters_of(scene))
            await scene.until_nothing_waits()
        found = await scene.event_log.read(f"{TOPIC}.dlq", 0, 100_000)
        (stored,) = [stored for stored in found if stored.record.value == bad.value]
        assert stored.record.headers["socle-consumer"] == scene.space
        assert stored.record.headers["socle-reason"] == "no_finess: No such structure."

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("no JSON: SPACE", "JSONDecodeError"),
            ('["SPACE"]', "TypeError"),
            ('{"specversion": "0.3", "space": "SPACE"}', "'0.3' is not 1.0"),
            ('{"specversion": "1.0", "space": "SPACE"}', "KeyError('type')"),
            (
                '{"specversion": "1.0", "type": "t", "source": "s", "subject": "u", "data": {},'
                ' "time": "2026-01-01T00:00:00Z", "space": "SPACE", "id": 5}',
                "AttributeError",
            ),
        ],
        ids=["no-json", "no-object", "other-version", "no-type", "numeric-id"],
    )
    async def test_says_why_when_a_record_is_no_event(
        self, scene: Any, running: Any, dead_letters_of: Any, value: str, reason: str
    ) -> None:
        rubbish = value.replace("SPACE", scene.space).encode()
        await scene.event_log.append([Record(TOPIC, scene.space, rubbish)])
        async with running(scene.consumer()):
            await scene.until(lambda: dead_letters_of(scene))
        (letter,) = await dead_letters_of(scene)
        assert letter.value == rubbish
        assert reason in letter.reason


class TestReplay:
    async def test_counts_the_event_once_when_the_handler_is_repaired(
        self, scene: Any, running: Any, dead_letters_of: Any
    ) -> None:
        handler = Refusing(scene)
        await scene.publish(scene.event("bad", 7))
        async with running(scene.relay(), scene.consumer(handler)):
            await scene.until(lambda: dead_letters_of(scene))
            (letter,) = await dead_letters_of(scene)
            handler.repaired = True
            async with scene.database.write() as session:
                await replay(session, "usage", letter.id)
            await scene.until_seen(1)
        assert await scene.seen() == [("bad", 7)]
        assert await dead_letters_of(scene) == []
        async with scene.database.read() as session:
            shown = await get_dead_letter(session, "usage", letter.id)
        assert shown is not None
        assert shown.replayed_at is not None

    async def test_is_refused_when_the_letter_was_replayed_or_is_unknown(
        self, scene: Any, running: Any, dead_letters_of: Any
    ) -> None:
        await scene.publish(scene.event("bad"))
        async with running(scene.relay(), scene.consumer(Refusing(scene))):
            await scene.until(lambda: dead_letters_of(scene))
        (letter,) = await dead_letters_of(scene)
        async with scene.database.write() as session:
            await replay(session, "usage", letter.id)
        for number in (letter.id, 2**40):
            with pytest.raises(DomainError, match="still to be replayed"):
                async with scene.database.write() as session:
                    await replay(session, "usage", number)
