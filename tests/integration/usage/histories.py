"""Random histories of a small world: few documents, acts and authors, so that they meet often."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.usage.domain.period import Period
from socle.events.envelope import Event

from .oracle import ACCEPTED, CANCELLED, DECLARED, DELETED, REGISTERED

STRUCTURES = ("1B0064166", "0B0193488")
PROFESSIONALS = ("899700427885", "810100000001")
TYPES = ("11502-2", "34112-3")
KINDS = ("stay.closed", "consultation.done")
START = datetime(2022, 6, 29, 20, tzinfo=UTC)
# The end of the first is within the days of the histories.
PERIODS = [
    Period(START.date().replace(month=1, day=1), START.date().replace(month=7, day=1)),
    Period(START.date().replace(month=7, day=1), START.date().replace(month=12, day=31)),
]


def number(prefix: int, value: int) -> str:
    return str(UUID(int=prefix << 64 | value))


instants = st.integers(0, 7 * 8).map(lambda step: START + step * timedelta(hours=3))
authors = st.tuples(st.sampled_from((*STRUCTURES, None)), st.sampled_from((*PROFESSIONALS, None)))
act_ids = st.sampled_from(("A1", "A2", "A3"))
chains = st.integers(1, 4)


@st.composite
def registrations(draw: st.DrawFn) -> tuple[str, datetime, dict[str, Any]]:
    chain, version = draw(chains), draw(st.integers(0, 2))
    structure, professional = draw(authors)
    created, registered = draw(instants), draw(instants)
    return (
        REGISTERED,
        registered,
        {
            "chain_id": number(1, chain * 10),
            "logical_id": number(1, chain * 10 + version),
            "entry_id": number(1, chain * 10 + version),
            "unique_id": f"1.2.{chain}.{version}",
            "type_code": draw(st.sampled_from(TYPES)),
            "level": draw(st.sampled_from(("N1", "N3"))),
            "patient": "0" * 32,
            "ins": {"oid": "1.2.250.1.213.1.4.10", "qualified": draw(st.integers(0, 4)) > 0},
            "author": {
                "structure": structure and {"kind": "finess", "number": structure},
                "professional": professional,
            },
            "acts": draw(st.lists(act_ids, max_size=2, unique=True)),
            "created_at": created.isoformat(),
            "registered_at": registered.isoformat(),
        },
    )


@st.composite
def deletions(draw: st.DrawFn) -> tuple[str, datetime, dict[str, Any]]:
    chain, changed = draw(chains), draw(instants)
    return DELETED, changed, {"chain_id": number(1, chain * 10), "changed_at": changed.isoformat()}


@st.composite
def owners(draw: st.DrawFn) -> dict[str, Any]:
    structure, professional = draw(authors)
    if structure is None and professional is None:
        structure = STRUCTURES[0]
    return {"structure": structure, "professional": professional}


@st.composite
def declarations(draw: st.DrawFn) -> tuple[str, datetime, dict[str, Any]]:
    documents = st.builds(lambda c, v: f"1.2.{c}.{v}", chains, st.integers(0, 2))
    acted = draw(instants)
    return (
        DECLARED,
        acted,
        {
            "kind": draw(st.sampled_from(KINDS)),
            **draw(owners()),
            "act_id": draw(act_ids),
            "domain": None,
            "patient": None,
            "act_at": acted.isoformat(),
            "flags": [],
            "documents": draw(st.lists(documents, max_size=2, unique=True)),
            "messages": draw(st.lists(st.sampled_from(MESSAGES), max_size=1)),
        },
    )


@st.composite
def cancellations(draw: st.DrawFn) -> tuple[str, datetime, dict[str, Any]]:
    cancelled = draw(instants)
    return (
        CANCELLED,
        cancelled,
        {
            "kind": draw(st.sampled_from(KINDS)),
            **draw(owners()),
            "act_id": draw(act_ids),
            "cancelled_at": cancelled.isoformat(),
        },
    )


MESSAGES = (number(2, 1), number(2, 2))


@st.composite
def messages(draw: st.DrawFn, message: str) -> tuple[str, datetime, dict[str, Any]]:
    direction = draw(st.sampled_from(("professional-to-patient", "patient-to-professional")))
    data: dict[str, Any] = {"message": message, "direction": direction, "sender_kind": "PER", "cda_codes": [],
            "ins": None}  # fmt: skip
    return ACCEPTED, draw(instants), data


@st.composite
def histories(draw: st.DrawFn, space: str = "") -> list[Event]:
    """Every fact once, oldest first; their ids ascend as those of real events do."""
    facts = draw(
        st.lists(
            st.one_of(
                registrations(), registrations(), declarations(), deletions(), cancellations()
            ),
            min_size=1,
            max_size=14,
        )
    )
    facts += [draw(messages(it)) for it in draw(st.sets(st.sampled_from(MESSAGES)))]
    return [
        Event(type_, "/test", "x", space, time, data, UUID(int=(rank + 1) << 80))
        for rank, (type_, time, data) in enumerate(facts)
    ]
