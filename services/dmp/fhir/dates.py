"""Date parameters of a FHIR search, on the calendar of Paris (FHIR R4 §3.1.1.4.7)."""

import re
from datetime import UTC, datetime, timedelta

from socle.clock import PARIS

Period = tuple[datetime | None, datetime | None]

_DATE = re.compile(
    r"(eq|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d{2})(?:-(\d{2})(T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


def read_period(value: str) -> Period | None:
    """Half-open bounds of a FHIR date parameter; a date without zone is of Paris."""
    match = _DATE.fullmatch(value.replace(" ", "+"))  # a plus sign that was not encoded
    if match is None:
        return None
    prefix, year, month, day, time = match.groups()
    try:
        start, end = (bound.astimezone(UTC) for bound in _bounds(int(year), month, day, time))
    except (ValueError, OverflowError):  # beyond the years that Python and PostgreSQL share
        return None
    return {
        "ge": (start, None), "gt": (end, None), "le": (None, end), "lt": (None, start),
        "sa": (end, None), "eb": (None, start),
    }.get(prefix or "eq", (start, end))  # fmt: skip


def _bounds(
    year: int, month: str | None, day: str | None, time: str | None
) -> tuple[datetime, datetime]:
    start = datetime(year, int(month or 1), int(day or 1), tzinfo=PARIS)
    if time:
        instant = datetime.fromisoformat(f"{start.date()}{time}")
        instant = instant if instant.tzinfo else instant.replace(tzinfo=PARIS)
        return instant, instant + timedelta(seconds=1)
    if day:
        return start, datetime.combine(start.date() + timedelta(days=1), start.timetz())
    if month:
        return start, start.replace(year=year + int(month) // 12, month=int(month) % 12 + 1)
    return start, start.replace(year=year + 1)
