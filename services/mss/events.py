"""The facts that the mail service emits and reads: codes, kinds and pseudonyms, never an address or a
name. The sender is the professional who was logged in, by national identifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.mss.domain.headers import MailFacts
from socle.events.envelope import Event
from socle.ids.structures import StructureId

ACCEPTED = "mss.message.accepted.v1"
DELIVERED = "mss.message.delivered.v1"
READ = "mss.message.read.v1"
REPLIED = "mss.message.replied.v1"
REFUSED = "mss.message.refused.v1"
CLOSED = "mss.message.closed.v1"
SOURCE = "/mss"
INS_QUALIFIED = "ins.identity.qualified.v1"
INS_DISQUALIFIED = "ins.identity.disqualified.v1"

Direction = Literal[
    "professional-to-professional", "professional-to-patient", "patient-to-professional"
]
PATIENT = "PATIENT"
EXTERNAL = "EXTERNAL"
"""A mailbox of another operator, of which nothing is known here."""


class IdentityQualification(BaseModel):
    """`data` of the ins.identity events, as far as the mail service needs it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    patient: str
    qualified: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """`kind` is that of the mailbox, `professional` who was logged in (None for patients and machines),
    `structure` the one that answers for the mailbox, where it is known."""

    kind: str
    professional: str | None = None
    structure: StructureId | None = None

    @property
    def data(self) -> dict[str, Any]:
        known = self.structure
        return {
            "sender_kind": self.kind,
            "professional": self.professional,
            "structure": {"kind": known.kind, "number": known.number} if known else None,
        }


def direction_of(sender_kind: str, recipient_kind: str) -> Direction:
    if sender_kind == PATIENT:
        return "patient-to-professional"
    if recipient_kind == PATIENT:
        return "professional-to-patient"
    return "professional-to-professional"


def message_accepted(
    space: str,
    message: UUID,
    time: datetime,
    *,
    sender: Sender,
    recipient_kinds: Mapping[str, int],
    patients: list[str],
    size: int,
    facts: MailFacts,
) -> Event:
    """A message entered the trust space (the operator's indicators, spec: mss.md §1.7).

    One that goes to professionals and to a patient counts as written to a patient. `patients` are
    those whose mailbox took it, or the one who wrote.
    """
    towards = PATIENT if PATIENT in recipient_kinds else ""
    data = {
        "direction": direction_of(sender.kind, towards),
        **sender.data,
        "recipient_kinds": dict(recipient_kinds),
        "patients": patients,
        "size": size,
        **_codes(facts),
    }
    return _event(ACCEPTED, space, message, time, data)


def message_delivered(
    space: str,
    message: UUID,
    time: datetime,
    *,
    sender: Sender,
    recipient_kind: str,
    patient: str | None,
    facts: MailFacts,
) -> Event:
    """A message lies in one recipient's mailbox. `patient` is the one who wrote or received it."""
    data = {
        "direction": direction_of(sender.kind, recipient_kind),
        **sender.data,
        "recipient_kind": recipient_kind,
        "patient": patient,
        **_codes(facts),
    }
    return _event(DELIVERED, space, message, time, data)


def message_read(
    space: str,
    message: UUID,
    time: datetime,
    *,
    reader_kind: str,
    patient: str | None,
    disposition: str,
    failed: bool,
) -> Event:
    """A read receipt passed for a message. `disposition` is that of RFC 8098."""
    data = {
        "reader_kind": reader_kind,
        "patient": patient,
        "disposition": disposition,
        "failed": failed,
    }
    return _event(READ, space, message, time, data)


def message_replied(
    space: str,
    message: UUID,
    time: datetime,
    *,
    reply: UUID,
    direction: Direction,
    sender: Sender,
    patient: str | None,
) -> Event:
    """`message` is what was answered, `reply` the answer, `direction` the answer's."""
    data = {
        "reply": str(reply),
        "direction": direction,
        **sender.data,
        "patient": patient,
    }
    return _event(REPLIED, space, message, time, data)


def message_refused(
    space: str,
    message: UUID,
    time: datetime,
    *,
    sender: Sender,
    recipient_kind: str | None,
    patient: str | None,
    reason: str,
    code: int,
    told_by: Literal["smtp", "report"],
    facts: MailFacts,
) -> Event:
    """For one recipient: at once in SMTP, or by a report after the acceptance.

    `message` is the attempt's own identifier where nothing was accepted. `recipient_kind` is None
    where there is no such mailbox. `facts` say nothing where the message was not seen yet.
    """
    data = {
        "direction": direction_of(sender.kind, recipient_kind or ""),
        **sender.data,
        "recipient_kind": recipient_kind,
        "patient": patient,
        "reason": reason,
        "code": code,
        "told_by": told_by,
        **_codes(facts),
    }
    return _event(REFUSED, space, message, time, data)


def conversation_closed(
    space: str,
    message: UUID,
    time: datetime,
    *,
    sender: Sender,
    patient: str,
    scope: Literal["conversation", "message"],
) -> Event:
    """`[FIN]` ends the conversation, `X-MSS-MES: FIN` refuses answers to one message."""
    data = {**sender.data, "patient": patient, "scope": scope}
    return _event(CLOSED, space, message, time, data)


def _codes(facts: MailFacts) -> dict[str, Any]:
    return {"cda_codes": list(facts.cda_codes), "ins": facts.ins, "nil": facts.nil}


def _event(type_: str, space: str, message: UUID, time: datetime, data: dict[str, Any]) -> Event:
    return Event.new(
        type_,
        source=SOURCE,
        subject=str(message),
        space=space,
        time=time,
        data={"message": str(message), **data},
    )
