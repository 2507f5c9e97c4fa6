"""Time. Nothing else in Socle reads the system clock.

Two times exist (docs/adr/0004). *Wall* time is the machine's: TLS, tokens and connections use
it, because an unmodified client compares them with its own clock. *Space* time is the one that
a vendor moves: documents, events and the windows of the funding programmes use it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic as monotonic  # durations, never instants
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def wall() -> datetime:
    return datetime.now(UTC)


def wall_seconds() -> int:
    """Seconds since the epoch, as JWT wants them (RFC 7519 NumericDate)."""
    return int(wall().timestamp())


@dataclass(frozen=True, slots=True)
class SpaceClock:
    """The clock of one space: running with an offset, or frozen at an instant."""

    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def now(self, at: datetime | None = None) -> datetime:
        """The space's instant, UTC; `at` is the wall time to read it from."""
        return self.frozen_at or (at or wall()) + self.offset

    def shifted_to(self, instant: datetime, at: datetime | None = None) -> "SpaceClock":
        """Runs on from `instant`."""
        return SpaceClock(offset=instant - (at or wall()))

    def frozen(self, instant: datetime) -> "SpaceClock":
        return replace(self, frozen_at=instant)

    def advanced(self, by: timedelta) -> "SpaceClock":
        if self.frozen_at is not None:
            return replace(self, frozen_at=self.frozen_at + by)
        return replace(self, offset=self.offset + by)
