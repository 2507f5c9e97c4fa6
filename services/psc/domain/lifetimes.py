"""How long sessions and tokens live (spec: psc.md §4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lifetimes:
    access: timedelta
    refresh: timedelta
    session_idle: timedelta
    session_max: timedelta
    code: timedelta
    login_page: timedelta
    ciba: timedelta
    ciba_interval: timedelta
    phone_lock: timedelta
    pushed: timedelta

    def refresh_expiry(self, now: datetime, session_started: datetime) -> datetime:
        """A refresh token never outlives the session that it prolongs."""
        return min(now + self.refresh, session_started + self.session_max)

    def is_live(self, now: datetime, started: datetime, last_seen: datetime) -> bool:
        return now < started + self.session_max and now < last_seen + self.session_idle
