"""Half-open periods on the Paris calendar (spec: usage.md §3, R5)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from socle.clock import PARIS

# No programme counts outside these; at the ends of the calendar a change of zone overflows.
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """From midnight of `start` up to, not including, midnight of `end`, Europe/Paris."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a period ends after it starts, not {self.start} to {self.end}")
        if self.start < EARLIEST or self.end > LATEST:
            raise ValueError(f"a period lies between {EARLIEST} and {LATEST}")

    @property
    def starts_at(self) -> datetime:
        return paris_midnight(self.start)

    @property
    def ends_at(self) -> datetime:
        return paris_midnight(self.end)

    def __contains__(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at


def paris_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS).astimezone(UTC)


def semester_of(instant: datetime) -> Period:
    """The half-year that holds an instant."""
    day = instant.astimezone(PARIS).date()
    if day.month <= 6:
        return Period(date(day.year, 1, 1), date(day.year, 7, 1))
    return Period(date(day.year, 7, 1), date(day.year + 1, 1, 1))
