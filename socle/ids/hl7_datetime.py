"""HL7 time stamps (TS): YYYY[MM[DD[HH[MM[SS[.f…]]]]]][±HHMM], as CDA and HL7v2 write them.

A stamp without a zone is read in Europe/Paris, the zone of the people who wrote it; `has_zone`
lets a rule say that the zone was missing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final, Literal

from socle.clock import PARIS

Precision = Literal["year", "month", "day", "hour", "minute", "second"]

_TS: Final = re.compile(
    r"(?P<digits>[0-9]{4}(?:[0-9]{2}){0,5})(?P<fraction>\.[0-9]{1,6})?(?P<zone>[+-][0-9]{4})?"
)
_PRECISIONS: Final[dict[int, Precision]] = {
    4: "year",
    6: "month",
    8: "day",
    10: "hour",
    12: "minute",
    14: "second",
}


@dataclass(frozen=True, slots=True)
class Hl7DateTime:
    """An instant, and how much of it was written. Missing parts count as their first value."""

    value: datetime
    precision: Precision
    has_zone: bool

    @property
    def utc(self) -> datetime:
        return self.value.astimezone(UTC)

    @property
    def date(self) -> date:
        return self.value.date()

    @property
    def xds(self) -> str:
        """XDS metadata want UTC, as precise as what was written (spec: DMP EX_3.1-1070)."""
        if self.precision in ("year", "month", "day"):
            # A date has no instant to convert: changing its zone could change the day.
            return self.value.strftime("%Y%m%d")[
                : {"year": 4, "month": 6, "day": 8}[self.precision]
            ]
        return self.utc.strftime("%Y%m%d%H%M%S")[
            : {"hour": 10, "minute": 12, "second": 14}[self.precision]
        ]


def parse_ts(text: str) -> Hl7DateTime:
    """Raises ValueError with a message fit for the sender."""
    match = _TS.fullmatch(text)
    if match is None:
        raise ValueError(f"« {text[:40]} » n'est pas un horodatage HL7 (AAAAMMJJhhmmss±hhmm)")
    digits = match["digits"]
    precision = _PRECISIONS[len(digits)]
    if match["fraction"] and precision != "second":
        raise ValueError(f"« {text} » a une fraction sans secondes")
    full = digits + "00000101000000"[len(digits) :]
    fraction = (match["fraction"] or ".0")[1:].ljust(6, "0")
    try:
        value = datetime(
            int(full[:4]),
            int(full[4:6]),
            int(full[6:8]),
            int(full[8:10]),
            int(full[10:12]),
            int(full[12:14]),
            int(fraction),
            tzinfo=_zone(match["zone"]),
        )
        value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"« {text} » n'est pas une date du calendrier") from None
    return Hl7DateTime(value, precision, match["zone"] is not None)


def parse_hl7_datetime(text: str) -> datetime:
    """The aware instant alone."""
    return parse_ts(text).value


def format_ts(value: datetime) -> str:
    """To the second with its zone, which CI-SIS asks of effectiveTime."""
    if value.tzinfo is None:
        raise ValueError("an instant without zone cannot be written as a time stamp")
    return value.strftime("%Y%m%d%H%M%S%z")[:19]


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return PARIS
    hours, minutes = int(text[1:3]), int(text[3:5])
    if hours > 14 or minutes > 59:
        raise ValueError("zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
