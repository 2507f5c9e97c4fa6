"""What is missing to reach a target by the end of a period: whole documents, exact.

Now: how many of the acts already counted still need their document. By the end: if acts go on at
their rhythm, how many documents are needed, and how many a day.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from services.usage.domain.period import Period


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a period that are begun or over, and those to come."""

    elapsed: int
    remaining: int

    @classmethod
    def of(cls, period: Period, today: date) -> "Days":
        """`today` is begun: what is done on it belongs to the elapsed days."""
        begun = min(max(today + timedelta(days=1), period.start), period.end)
        return cls((begun - period.start).days, (period.end - begun).days)


@dataclass(frozen=True, slots=True)
class Missing:
    target: Fraction
    """In per cent for a rate, a number for a count."""
    now: int
    """Documents missing if the period ended now."""
    expected_acts: int | None
    """Acts to come at the rhythm so far, or at the one given; None without a rhythm."""
    by_the_end: int | None
    """Documents needed from now to the end."""
    per_day: int | None
    """The same a day, rounded up; None when no day is left."""
    reachable: bool
    """Whether there are, or will be, acts enough for those documents, and time to deposit them."""


def needed(target: Fraction, denominator: int, *, strict: bool = False) -> int:
    """The least numerator that reaches a target in per cent of a denominator."""
    exact = target * denominator / 100
    return floor(exact) + 1 if strict else ceil(exact)


def of_rate(
    numerator: int,
    denominator: int,
    target: Fraction,
    days: Days,
    *,
    strict: bool = False,
    acts_per_day: Fraction | None = None,
    closed: bool = False,
) -> Missing:
    """`closed`: what is deposited from now on counts no more; the last day of a period is open."""
    now = max(needed(target, denominator, strict=strict) - numerator, 0)
    rhythm = acts_per_day
    if rhythm is None and days.elapsed and denominator:
        rhythm = Fraction(denominator, days.elapsed)
    if closed:
        reached = now == 0 and numerator <= denominator and denominator > 0
        return Missing(target, now, 0, None, None, reached)
    if days.remaining == 0:
        return Missing(target, now, 0, now, None, numerator + now <= denominator)
    if rhythm is None:
        return Missing(target, now, None, None, None, numerator + now <= denominator)
    expected = ceil(rhythm * days.remaining)
    whole = denominator + expected
    by_the_end = max(needed(target, whole, strict=strict) - numerator, 0)
    return Missing(
        target,
        now,
        expected,
        by_the_end,
        ceil(Fraction(by_the_end, days.remaining)),
        numerator + by_the_end <= whole,
    )


def of_count(
    count: int,
    target: Fraction,
    days: Days,
    *,
    per_day: Fraction | None = None,
    closed: bool = False,
) -> Missing:
    """`expected_acts` are documents to come, at the rhythm so far or at the one given."""
    now = max(ceil(target) - count, 0)
    if closed:
        return Missing(target, now, 0, None, None, now == 0)
    rhythm = per_day
    if rhythm is None and days.elapsed:
        rhythm = Fraction(count, days.elapsed)
    expected = None if rhythm is None else ceil(rhythm * days.remaining)
    needed_a_day = ceil(Fraction(now, days.remaining)) if days.remaining else None
    return Missing(target, now, expected, now, needed_a_day, reachable=True)
