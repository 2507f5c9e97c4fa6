"""What one document or act adds to the daily sums, seen by who asks when a period closes."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.usage.domain.contributions import Affected, Deltas, contributions, joined, paris_day
from services.usage.domain.facts import (
    Act,
    Cancellation,
    Facts,
    Known,
    Link,
    Version,
    Withdrawal,
)
from socle.clock import PARIS

FINESS, DOCTOR, CHAIN = "1B0064166", "899700427885", "00000000-0000-0000-0000-000000000001"


def noon(month: int, day: int) -> datetime:
    return datetime(2022, month, day, 12, tzinfo=UTC)


def version(number: int, registered: datetime, level: str = "N3") -> Version:
    logical = f"00000000-0000-0000-0000-00000000000{number}"
    return Version(
        "demo", CHAIN, logical, UUID(int=number), f"1.2.{number}", FINESS, DOCTOR, "", "11502-2", level,
        True, noon(3, 1), registered,
    )  # fmt: skip


def stay(**changes: str) -> Act:
    fields = {"structure": FINESS, "professional": "", **changes}
    return Act("demo", "stay.closed", "S1", UUID(int=9), fields["structure"], fields["professional"],
               "", "", noon(3, 1), "")  # fmt: skip


def told(*facts: Version | Withdrawal | Act | Link | Cancellation) -> Deltas:
    known = Known()
    known.add(
        Facts(
            versions=[it for it in facts if isinstance(it, Version)],
            withdrawals=[it for it in facts if isinstance(it, Withdrawal)],
            acts=[it for it in facts if isinstance(it, Act)],
            cancellations=[it for it in facts if isinstance(it, Cancellation)],
            links=[it for it in facts if isinstance(it, Link)],
        )
    )
    return contributions(known, Affected({("demo", CHAIN)}, {("demo", "S1")}))


def known_on(
    deltas: Deltas, day: date, measure: str = "document", subject: str = FINESS
) -> dict[str, int]:
    """By traits, what had been added by then."""
    found: dict[str, int] = {}
    for bucket, (latest, _) in deltas.items():
        if (bucket[1], bucket[2]) == (measure, subject) and bucket[7] <= day:
            found[bucket[5]] = found.get(bucket[5], 0) + latest
    return {traits: total for traits, total in found.items() if total}


def test_a_document_counts_for_its_structure_its_author_and_everybody() -> None:
    assert {bucket[2] for bucket in told(version(1, noon(3, 2)))} == {"*", FINESS, f"ps:{DOCTOR}"}


def test_a_replacement_takes_the_place_of_the_first_from_its_own_day_on() -> None:
    deltas = told(version(1, noon(3, 2), "N1"), version(2, noon(7, 1)))
    assert known_on(deltas, date(2022, 6, 30)) == {"N1 qualified": 1}
    assert known_on(deltas, date(2022, 7, 1)) == {"N3 qualified": 1}
    assert {bucket[6] for bucket in deltas} == {date(2022, 3, 1)}


def test_a_deletion_takes_away_from_its_own_day_on() -> None:
    deltas = told(version(1, noon(3, 2)), Withdrawal("demo", CHAIN, noon(7, 1)))
    assert known_on(deltas, date(2022, 6, 30)) == {"N3 qualified": 1}
    assert known_on(deltas, date(2022, 7, 1)) == {}


def test_nothing_counts_that_was_deleted_before_it_came() -> None:
    deltas = told(version(1, noon(3, 2)), Withdrawal("demo", CHAIN, noon(3, 1)))
    assert not any(latest or first for latest, first in deltas.values())


def test_an_act_has_its_document_from_the_day_of_the_deposit_on() -> None:
    link = Link("demo", "1.2.1", "S1")
    deltas = told(stay(), link, version(1, noon(7, 1)))
    assert known_on(deltas, date(2022, 6, 30), "act") == {"": 1}
    assert known_on(deltas, date(2022, 7, 1), "act") == {"*/N3/qualified 11502-2/N3/qualified": 1}
    assert known_on(deltas, date(2022, 7, 1)) == {"N3 act of:stay.closed qualified": 1}


def test_an_act_of_another_owner_has_no_part_in_it() -> None:
    link = Link("demo", "1.2.1", "S1")
    deltas = told(stay(structure="0B0193488"), link, version(1, noon(3, 2)))
    assert known_on(deltas, date(2022, 12, 31)) == {"N3 act qualified": 1}
    assert known_on(deltas, date(2022, 12, 31), "act", "0B0193488") == {"": 1}


def test_a_cancelled_act_leaves_from_its_day_on() -> None:
    act = stay()
    deltas = told(act, Cancellation(act.key, noon(7, 1)))
    assert known_on(deltas, date(2022, 6, 30), "act") == {"": 1}
    assert known_on(deltas, date(2022, 7, 1), "act") == {}


@pytest.mark.parametrize("count", [1, 100])
def test_traits_fit_into_an_index_and_keep_the_flags(count: int) -> None:
    words = {"apcv", "*/N3/qualified", *(f"{number:05d}-1/N3/qualified" for number in range(count))}
    traits = joined(words)
    assert len(traits) <= 1500
    assert {"apcv", "*/N3/qualified", "00000-1/N3/qualified"} <= set(traits.split())


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda it: it.year < 9999))
@example(datetime(2022, 6, 30, 21, 59, 59, tzinfo=UTC))
@example(datetime(2022, 6, 30, 22, tzinfo=UTC))
@example(datetime(2022, 12, 31, 22, 59, 59, tzinfo=UTC))
@example(datetime(2022, 12, 31, 23, tzinfo=UTC))
def test_a_day_is_that_of_paris(instant: datetime) -> None:
    assert paris_day(instant) == instant.astimezone(PARIS).date()
