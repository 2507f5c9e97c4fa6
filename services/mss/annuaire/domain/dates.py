"""Dates in a search: a value is the range that its precision spans (FHIR R4 §3.1.1.4.4)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FORM = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?"
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?(Z|[+ -][0-9]{2}:[0-9]{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` on and before `high`; without them as far as it goes. `outside` turns it round."""

    low: datetime | None = None
    high: datetime | None = None
    outside: bool = False


def read_date(value: str, now: datetime) -> Range | None:
    """None for what is no date. Without a zone it is UTC (guide v2: « 15h (GMT) »)."""
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    try:
        low, high = _span(found)
        match found[1]:
            case "gt" | "sa":
                return Range(low=high)
            case "lt" | "eb":
                return Range(high=low)
            case "ge":
                return Range(low=low)
            case "le":
                return Range(high=high)
            case "ne":
                return Range(low, high, outside=True)
            case "ap":
                tolerance = abs(now - low) / 10
                return Range(low - tolerance, high + tolerance)
        return Range(low, high)
    except (ValueError, OverflowError):
        return None


def _span(found: "re.Match[str]") -> tuple[datetime, datetime]:
    year, month, day, hour, minute, second = (int(found[n] or 0) for n in range(2, 8))
    low = datetime(year, month or 1, day or 1, hour, minute, second, tzinfo=UTC)
    if found[8]:
        low += timedelta(microseconds=int(float(found[8]) * 1_000_000))
    if not month:
        return low, low.replace(year=year + 1)
    if not day:
        return low, (low + timedelta(days=31)).replace(day=1)
    if found[5] is None:
        return low, low + timedelta(days=1)
    low -= _offset(found[9])
    if found[7] is None:
        return low, low + timedelta(minutes=1)
    return low, low + (timedelta(milliseconds=1) if found[8] else timedelta(seconds=1))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    # A plus sign that was not encoded arrives as a space.
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if minutes > 59 or hours > 14:
        raise ValueError("no zone")
    found = timedelta(hours=hours, minutes=minutes)
    return -found if zone[0] == "-" else found
