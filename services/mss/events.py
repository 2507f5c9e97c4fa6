"""The facts that the mail service emits: codes and kinds, never an address or a name."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.mss.domain.headers import MailFacts
from socle.events.envelope import Event

ACCEPTED = "mss.message.accepted.v1"
DELIVERED = "mss.message.delivered.v1"
SOURCE = "/mss"


def message_accepted(
    space: str,
    message: UUID,
    time: datetime,
    *,
    sender_kind: str,
    recipient_kinds: Mapping[str, int],
    size: int,
    facts: MailFacts,
) -> Event:
    """A message entered the trust space (the operator's indicators, spec: mss.md §1.7)."""
    data = {
        "message": str(message),
        "direction": "professional-to-professional",
        "sender_kind": sender_kind,
        "recipient_kinds": dict(recipient_kinds),
        "size": size,
        "cda_codes": list(facts.cda_codes),
        "ins": facts.ins,
        "nil": facts.nil,
    }
    return _event(ACCEPTED, space, message, time, data)


def message_delivered(space: str, message: UUID, time: datetime, recipient_kind: str) -> Event:
    data: dict[str, object] = {"message": str(message), "recipient_kind": recipient_kind}
    return _event(DELIVERED, space, message, time, data)


def _event(type_: str, space: str, message: UUID, time: datetime, data: dict[str, object]) -> Event:
    return Event.new(type_, source=SOURCE, subject=str(message), space=space, time=time, data=data)
