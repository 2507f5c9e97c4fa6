"""Order, repetition, cuts into batches and crashes change no figure: held against the definitions."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.usage import facts_repository
from services.usage.counting import count
from services.usage.domain.measures import (
    Acts,
    ActsWith,
    Beneficiary,
    CountingPolicy,
    Documents,
    Measure,
)
from services.usage.service import apply_events
from socle.db.database import Database
from socle.events.envelope import Event
from socle.idgen import random_uuid

from .histories import KINDS, PERIODS, PROFESSIONALS, STRUCTURES, TYPES, histories
from .oracle import Asked, Oracle

SUBJECTS = [
    Beneficiary("space"),
    *(Beneficiary("structure", it) for it in STRUCTURES),
    *(Beneficiary("professional", it) for it in PROFESSIONALS),
]


class Crash(Exception):
    pass


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[tuple[list[Event], bool]]]:
    """A history, and how it is heard: shuffled, repeated, in batches of which some are lost once."""
    events = draw(histories())
    heard = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=4))))
    cuts = sorted(draw(st.lists(st.integers(0, len(heard)), max_size=4)))
    borders = [0, *cuts, len(heard)]
    batches = [heard[a:b] for a, b in pairwise(borders) if a < b]
    return events, [(batch, draw(st.booleans())) for batch in batches]


async def deliver(
    database: Database, space: str, batches: Sequence[tuple[list[Event], bool]]
) -> None:
    for batch, crashes in batches:
        here = [replace(event, space=space) for event in batch]
        if crashes:
            try:
                async with database.write() as session:
                    await apply_events(session, here)
                    raise Crash
            except Crash:
                pass
        async with database.write() as session:
            await apply_events(session, here)


async def differences(database: Database, space: str, events: Sequence[Event]) -> list[str]:
    """What is counted otherwise than the definitions say."""
    oracle = Oracle(events)
    found = []
    async with database.read() as session:
        for of, period, version, late in product(
            SUBJECTS, PERIODS, ("latest", "first"), ("ignored", "kept")
        ):
            policy = CountingPolicy(version=version, late_delete=late)
            asked = Asked(
                period,
                of.number if of.kind == "structure" else None,
                of.number if of.kind == "professional" else None,
                version,
                late == "kept",
            )
            questions: list[tuple[Measure, int]] = [
                (
                    Documents(count="documents", types=frozenset(TYPES[:1]), levels=frozenset(["N3"]),
                              ins="qualified"),
                    oracle.documents(asked, {TYPES[0]}, {"N3"}),
                ),
                (
                    Documents(count="documents", types=frozenset(TYPES), levels=frozenset(["N1", "N3"]),
                              ins="qualified", linked_to=KINDS[0]),
                    oracle.documents(asked, set(TYPES), {"N1", "N3"}, KINDS[0]),
                ),
                (Acts(count="acts", activity=KINDS[1]), len(oracle.acts_of(asked, KINDS[1]))),
                (
                    ActsWith(count="acts_with", activity=KINDS[0], what="document",
                             types=frozenset(TYPES[:1])),
                    oracle.acts_with_document(asked, KINDS[0], {TYPES[0]}),
                ),
                (
                    ActsWith(count="acts_with", activity=KINDS[1], what="message_to_patient"),
                    oracle.acts_with_message(asked, KINDS[1]),
                ),
            ]  # fmt: skip
            for measure, expected in questions:
                counted = await count(session, space, measure, of, period, policy)
                if counted != expected:
                    found.append(f"{measure!r} {asked!r}: {counted}, not {expected}")
    return found


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(delivery=deliveries(), copied_from=st.sampled_from((1, 200)))
async def test_counts_what_the_definitions_say_however_it_is_heard(
    database: Database,
    delivery: tuple[list[Event], list[tuple[list[Event], bool]]],
    copied_from: int,
) -> None:
    """Few rows are written by arrays and many by COPY: here the same histories by both."""
    events, batches = delivery
    for batch, crashes in batches:
        note("batch, lost once" if crashes else "batch")
        for event in batch:
            note(f"  {event.id} {event.type} {event.time} {event.data}")
    space = f"t-{random_uuid().hex}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts_repository, "COPY_FROM", copied_from)
        await deliver(database, space, batches)

    assert await differences(database, space, events) == []
    async with database.read() as session:
        left = await session.execute(
            text(
                "SELECT count(*) FROM usage.bucket WHERE space = :space"
                " AND measure <> 'event' AND (act_day > known_day)"
            ),
            {"space": space},
        )
        assert left.scalar_one() == 0
