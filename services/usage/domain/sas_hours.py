"""Hours that are open to patients whom a doctor does not know, week by week (spec: mes.md §D)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction

from services.usage.domain.period import paris_midnight

WEEK = timedelta(days=7)


def whole_weeks(start: date, end: date) -> list[date]:
    """The Mondays of the weeks that lie whole in the half-open span."""
    monday = start + timedelta(days=-start.weekday() % 7)
    weeks = []
    while monday + WEEK <= end:
        weeks.append(monday)
        monday += WEEK
    return weeks


def open_time(slots: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The slots without what overlaps, in order: an hour that is told twice is an hour."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(slots):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def hours_by_week(
    slots: Iterable[tuple[datetime, datetime]], weeks: Iterable[date]
) -> dict[date, Fraction]:
    """Exact, in hours; weeks begin on Monday at midnight in Paris."""
    merged = open_time(slots)
    found: dict[date, Fraction] = {}
    for monday in weeks:
        first, last = paris_midnight(monday), paris_midnight(monday + WEEK)
        inside = [
            min(end, last) - max(start, first)
            for start, end in merged
            if start < last and end > first
        ]
        seconds = sum((it // timedelta(seconds=1) for it in inside), 0)
        found[monday] = Fraction(seconds, 3600)
    return found


def reached(weeks: dict[date, Fraction], least: Fraction, policy: str) -> bool | None:
    """`policy` is `counting.sas` of a rule file. None where there is no week to judge."""
    if not weeks:
        return None
    if policy == "mean":
        return sum(weeks.values(), Fraction(0)) / len(weeks) >= least
    return all(hours >= least for hours in weeks.values())
