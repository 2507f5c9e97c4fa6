"""What the person decides on the phone or with the card: number, PIN, and how often one may err.

Since June 2022 the application proposes three numbers, of which one is on the client's screen
(spec: psc.md §6.2). How many errors the real application forgives is not published: the two limits
below are Socle's own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from services.psc.domain.session import Channel

Status = Literal["pending", "approved", "refused", "used"]
Verdict = Literal["pending", "approved", "refused", "used", "expired"]
MAX_WRONG_NUMBERS: Final = 3
MAX_WRONG_PINS: Final = 5


@dataclass(frozen=True, slots=True)
class AuthenticationRequest:
    space: str
    id: UUID
    client_id: str
    national_id: str
    channel: Channel
    number: str
    choices: tuple[str, ...]
    scope: str
    issuer: str
    status: Status
    wrong_numbers: int
    created_at: datetime
    expires_at: datetime
    last_polled_at: datetime | None

    @classmethod
    def pending(
        cls,
        space: str,
        id_: UUID,
        client_id: str,
        national_id: str,
        channel: Channel,
        number: str,
        scope: str,
        issuer: str,
        now: datetime,
        expiry: timedelta,
    ) -> "AuthenticationRequest":
        return cls(
            space=space,
            id=id_,
            client_id=client_id,
            national_id=national_id,
            channel=channel,
            number=number,
            choices=choices_of(number, id_),
            scope=scope,
            issuer=issuer,
            status="pending",
            wrong_numbers=0,
            created_at=now,
            expires_at=now + expiry,
            last_polled_at=None,
        )

    def verdict(self, now: datetime) -> Verdict:
        """An answer counts only until the request expires: the client must fetch it in time too."""
        if self.status in ("pending", "approved") and self.expires_at <= now:
            return "expired"
        return self.status


@dataclass(frozen=True, slots=True)
class Phone:
    """`wrong_pins` counts those in a row; the right one starts it anew."""

    wrong_pins: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def choices_of(number: str, id_: UUID) -> tuple[str, ...]:
    """The shown number among two others; which ones and in which order, the random id decides."""
    first, second, place = id_.bytes[0], id_.bytes[1], id_.bytes[2]
    shown = int(number)
    others = [(shown + 1 + first % 98) % 100]
    step = 1 + second % 98
    # Walks on until it meets neither the shown number nor the first other one.
    while (candidate := (shown + step) % 100) in (shown, others[0]):
        step += 1
    others.append(candidate)
    texts = [f"{value:02d}" for value in others]
    texts.insert(place % 3, number)
    return tuple(texts)
