"""Facts that meet no stored one add the same, counted without a look at the tables."""

from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.usage.domain.contributions import Affected, Deltas, contributions, count_occurrence
from services.usage.domain.facts import Act, Facts, Known, Link, Occurrence, Version, Withdrawal
from services.usage.domain.first_sight import FirstSight, count_first
from services.usage.events import facts_of
from socle.events.envelope import Event
from tests.integration.usage.histories import START, histories

BITS = 16


def by_the_definition(facts: Facts) -> Deltas:
    """All that the facts add, where there are no others."""
    known = Known()
    known.add(facts)
    chains = set(known.chains)
    act_ids = {(it.space, it.act_id) for it in known.acts.values()}
    act_ids |= {(it.space, it.act_id) for it in known.links}
    deltas = contributions(known, Affected(chains, act_ids))
    for occurrence in {it[:3]: it for it in facts.occurrences}.values():
        count_occurrence(deltas, occurrence)
    return deltas


def kept(*several: Deltas) -> Deltas:
    total = Deltas()
    for deltas in several:
        for bucket, sums in deltas.items():
            for basis in (0, 1):
                total.count(bucket, basis, sums[basis])
    return Deltas({bucket: sums for bucket, sums in total.items() if sums != [0, 0]})


def extend(facts: Facts, others: Facts) -> None:
    for mine, its in zip(facts.lists, others.lists, strict=True):
        mine += its


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=histories(), repeated=st.booleans())
def test_add_what_the_definition_says(events: list[Event], repeated: bool) -> None:
    heard = [replace(event, space="s") for event in events] * (2 if repeated else 1)
    stored, deltas = count_first(facts_of(heard))
    assert kept(deltas) == kept(by_the_definition(facts_of(heard)))
    # What is written by COPY, into tables without a key, must be there once.
    assert len({it[:3] for it in stored.versions}) == len(stored.versions)
    assert len({it.key for it in stored.acts}) == len(stored.acts)
    assert len(set(stored.links)) == len(stored.links)
    assert len({it[:3] for it in stored.occurrences}) == len(stored.occurrences)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=histories(), borders=st.lists(st.integers(0, 14), max_size=4))
def test_of_several_batches_add_up_to_what_all_that_was_taken_adds(
    events: list[Event], borders: list[int]
) -> None:
    """What meets an earlier batch is never taken, so batches know nothing of one another."""
    first, taken, sums = FirstSight(BITS), Facts(), list[Deltas]()
    cuts = [0, *sorted(borders), len(events)]
    for start, end in pairwise(cuts):
        batch = Facts()
        for event in events[start:end]:
            facts = facts_of([replace(event, space="s")])
            if first.takes(facts):
                extend(batch, facts)
        sums.append(count_first(batch)[1])
        first.told()
        extend(taken, batch)
    assert kept(*sums) == kept(by_the_definition(taken))


def version(number: int = 1, unique_id: str = "1.2.3", chain: int = 1) -> Version:
    return Version("s", str(UUID(int=chain)), str(UUID(int=number)), UUID(int=number), unique_id,
                   "1B0064166", "", "", "11502-2", "N3", True, START, START)  # fmt: skip


def act(owner: str = "1B0064166", act_id: str = "A1") -> Act:
    return Act("s", "stay.closed", act_id, UUID(int=9), owner, "", "", "", START, "")


KNOWN = Facts(
    versions=[version()],
    acts=[act()],
    links=[Link("s", "1.2.9", "A2")],
    occurrences=[Occurrence("s", "mss.professional-to-patient", "m1", START)],
)


class TestFirstSight:
    @pytest.mark.parametrize(
        "facts",
        [
            Facts(versions=[version(2, "1.2.4")]),
            Facts(withdrawals=[Withdrawal("s", str(UUID(int=1)), START)]),
            Facts(versions=[version(3, "1.2.9", chain=3)]),
            Facts(acts=[act()]),
            Facts(acts=[act(act_id="A2")]),
            Facts(links=[Link("s", "1.2.3", "A3")]),
            Facts(links=[Link("s", "1.2.8", "A1")]),
            Facts(links=[Link("s", "1.2.8", "A2")]),
            Facts(links=[Link("s", "message:m1", "A4")]),
            Facts(occurrences=KNOWN.occurrences),
        ],
        ids=["version of a chain", "deletion", "document that an act names", "act told again",
             "act that a document names", "link to a document", "link to an act", "second link",
             "link to a message", "occurrence told again"],
    )  # fmt: skip
    def test_takes_nothing_that_meets_what_is_stored(self, facts: Facts) -> None:
        first = FirstSight(BITS)
        assert first.takes(KNOWN)
        assert first.takes(facts), "facts of one batch may meet"
        first.forgotten()
        assert first.takes(KNOWN)
        first.told()
        assert not first.takes(facts)

    def test_takes_acts_of_one_number_for_different_ones(self) -> None:
        """Every structure counts from one."""
        first = FirstSight(BITS)
        assert first.takes(Facts(acts=[act()]))
        first.told()
        assert first.takes(Facts(acts=[act("0B0193488")]))


def test_a_sum_whose_key_fits_into_no_index_is_told() -> None:
    long = act()._replace(kind="k" * 3000)
    with pytest.raises(ValueError, match="too long"):
        count_first(Facts(acts=[long, act()._replace(kind=long.kind, event_id=UUID(int=10))]))
