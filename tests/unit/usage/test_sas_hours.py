"""Open hours for the SAS, by whole weeks of Paris, each hour once."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from services.usage.domain.sas_hours import hours_by_week, reached, whole_weeks

MONDAY = date(2024, 3, 25)  # the week in which summer time begins


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def slot(start: str, end: str) -> tuple[datetime, datetime]:
    return at(start), at(end)


def test_weeks_lie_whole_in_the_span() -> None:
    assert whole_weeks(date(2024, 3, 25), date(2024, 4, 1)) == [MONDAY]
    assert whole_weeks(date(2024, 3, 26), date(2024, 4, 7)) == []
    assert whole_weeks(date(2024, 3, 24), date(2024, 4, 8)) == [MONDAY, date(2024, 4, 1)]


def test_hours_that_overlap_count_once() -> None:
    slots = [
        slot("2024-03-26T09:00+01:00", "2024-03-26T10:00+01:00"),
        slot("2024-03-26T09:30+01:00", "2024-03-26T10:30+01:00"),
        slot("2024-03-26T10:30+01:00", "2024-03-26T10:45+01:00"),
        slot("2024-03-26T09:00+01:00", "2024-03-26T10:00+01:00"),
    ]
    assert hours_by_week(slots, [MONDAY]) == {MONDAY: Fraction(7, 4)}


def test_a_slot_over_the_end_of_a_week_is_of_both() -> None:
    slots = [slot("2024-03-31T23:00+02:00", "2024-04-01T02:00+02:00")]
    assert list(hours_by_week(slots, [MONDAY, date(2024, 4, 1)]).values()) == [1, 2]


@pytest.mark.parametrize(
    ("hours", "policy", "expected"),
    [
        ([2, 2], "each_week", True),
        ([3, "7199/3600"], "each_week", False),
        ([3, 1], "mean", True),
        ([3, "3599/3600"], "mean", False),
        ([], "mean", None),
    ],
)
def test_are_judged_week_by_week_or_by_their_mean(
    hours: list[int | str], policy: str, expected: bool | None
) -> None:
    weeks = {date(2024, 1, 1 + 7 * n): Fraction(it) for n, it in enumerate(hours)}
    assert reached(weeks, Fraction(2), policy) is expected
