"""Faults of a space on SMTP and IMAP: the rules of /_sandbox/faults with these two methods."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from services.mss.service import Session
from socle.clock import monotonic
from socle.errors import DomainError
from socle.faults import FaultRule
from socle.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session stands: `operation` as in the path of a rule, without its slash."""

    protocol: Literal["SMTP", "IMAP"]
    operation: str
    session: Session | None = field(default=None, repr=False)
    sender: str = field(default="", repr=False)
    recipients: tuple[str, ...] = field(default=(), repr=False)


@dataclass
class MailFaults:
    """One in a process, as counts and rates are per process."""

    kernel: Kernel
    _seen: dict[tuple[str, str, datetime | None], deque[float]] = field(default_factory=dict)

    async def strike(self, place: Place) -> FaultRule | None:
        """Slows down as the rules say, and gives the one that fails the operation, if there is one.

        Before the login nobody knows the space: rules on /connect are those of the default one.
        """
        name = place.session.space if place.session else self.kernel.settings.default_space
        for rule in await self._rules(name):
            if not self._concerns(rule, place) or not self._is_due(name, rule):
                continue
            if rule.latency_ms:
                await asyncio.sleep(rule.latency_ms / 1000)
            if rule.status is not None or rule.effect is not None:
                return rule
        return None

    async def _rules(self, space: str) -> Iterable[FaultRule]:
        """A sandbox that cannot read its rules has none; the operation itself will say what is wrong."""
        try:
            return (await self.kernel.spaces.get(space)).faults
        except (DomainError, SQLAlchemyError, OSError):
            return ()

    def _concerns(self, rule: FaultRule, place: Place) -> bool:
        subject = place.session.subject if place.session else None
        client, person = (subject.client_id, subject.national_id) if subject else ("", "")
        return (
            rule.method == place.protocol
            and rule.matches(self.kernel.service, place.protocol, f"/{place.operation}")
            and rule.concerns(client, person)
            and rule.is_between(place.sender, place.recipients)
        )

    def _is_due(self, space: str, rule: FaultRule) -> bool:
        if rule.effect == "rate_limit" and not self._is_over(space, rule):
            return False
        return self.kernel.faults.strikes(space, rule)

    def _is_over(self, space: str, rule: FaultRule) -> bool:
        """Counts this operation; one that is refused for its rate does not count."""
        number, seconds = rule.rate
        seen = self._seen.setdefault((space, rule.id, rule.armed_at), deque())
        now = monotonic()
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) >= number:
            return True
        seen.append(now)
        return False
