"""Events as they are read: from the log's bytes and from a parsed event the same."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.usage.domain.facts import Facts
from services.usage.events import facts_of, read_facts
from socle.errors import DomainError
from socle.events.envelope import Event, InvalidEventError
from tests.contract.events import EXAMPLES

ALL = [event for events in EXAMPLES.values() for event in events]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.text(max_size=5), st.just([]), st.just({}),
    st.just("2022-03-15T08:00:00"), st.just("2022-03-15T08:00:00+01:00"), st.just("2022-03-15"),
)  # fmt: skip


def read(value: bytes) -> Facts:
    facts = Facts()
    read_facts(facts, value)
    return facts


@pytest.mark.parametrize("raw", ALL, ids=lambda raw: raw["type"])
def test_say_the_same_as_bytes_and_parsed(raw: dict[str, Any]) -> None:
    value = orjson.dumps(raw)
    assert read(value) == facts_of([Event.parse(value)])
    assert read(value) != Facts()


@pytest.mark.parametrize("raw", ALL, ids=lambda raw: raw["type"])
def test_say_the_same_however_they_are_written(raw: dict[str, Any]) -> None:
    """Another order has the words of another type in its data come first."""
    value = orjson.dumps(raw)
    misleading = {**raw["data"], "type": "dmp.document.deleted.v1"}
    backwards = dict(reversed({**raw, "data": misleading}.items()))
    assert read(orjson.dumps(backwards)) == read(value)
    assert read(orjson.dumps(raw, option=orjson.OPT_INDENT_2)) == read(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=st.sampled_from(ALL), places=st.lists(st.tuples(st.integers(0, 40), JUNK), max_size=3))
def test_never_say_more_as_bytes_than_parsed(
    raw: dict[str, Any], places: list[tuple[int, Any]]
) -> None:
    """Whatever is wrong with an event: what a recount reads at once, the consumer reads so too."""
    changed = {**raw, "data": dict(raw["data"])}
    for place, junk in places:
        names = [(part, name) for part in (changed, changed["data"]) for name in part]
        part, name = names[place % len(names)]
        if part is changed and name == "data":
            continue
        part[name] = junk
    value = orjson.dumps(changed)
    try:
        found = read(value)
    except ValueError:
        return
    assert found == facts_of([Event.parse(value)])


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"changed_at": "2022-03-15T08:00:00Z"}, "chain_id"),
        ({"chain_id": "secret` - at `$.x", "changed_at": "2022-03-15T08:00:00Z"}, "chain_id"),
        ({"chain_id": "0190cc54-6b5b-7c3a-8b46-7b6d9f4d5f10\n"}, "chain_id"),
        (
            {
                "chain_id": "0190CC54-6B5B-7C3A-8B46-7B6D9F4D5F10",
                "changed_at": "2022-03-15T08:00:00Z",
            },
            "chain_id",
        ),
    ],
)
def test_say_what_is_misstated_and_not_how(data: dict[str, Any], place: str) -> None:
    at = datetime(2022, 3, 15, tzinfo=UTC)
    event = Event.new("dmp.document.deleted.v1", source="/dmp", subject="x", space="s", time=at,
                      data=data)  # fmt: skip
    with pytest.raises(DomainError) as refused:
        facts_of([event])
    assert refused.value.detail == f"dmp.document.deleted.v1 lacks or misstates {place}"


def test_that_are_none_are_refused_both_ways() -> None:
    for value in (b"", b"[]", b"\xff", b'{"specversion": "0.3"}', b'{"specversion": "1.0"}'):
        with pytest.raises(ValueError):
            read(value)
        with pytest.raises(InvalidEventError):
            Event.parse(value)
