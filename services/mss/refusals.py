"""Refusals as events, so that they can be counted: of one recipient at RCPT, or of a message at DATA for
each of its recipients. What is only put off is told once it is given up."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal
from uuid import UUID

from services.mss import events, patient_repository, repository, telling
from services.mss.domain.headers import read_facts, split_header
from services.mss.domain.patient_rules import is_patients
from services.mss.events import EXTERNAL, PATIENT
from services.mss.patients import Patient
from socle.db.database import WriteSession
from socle.events.outbox import publish
from socle.idgen import uuid7
from socle.spaces import Space

UNKNOWN: Final = "mailbox_unknown"

AT_DATA: Final[Mapping[str, str]] = {
    "mailbox_unknown": UNKNOWN,
    "mailbox_closed": "mailbox_closed",
    "mailbox_full": "mailbox_full",
    "mail_not_conformant": "not_conformant",
    "from_differs": "from_differs",
}
"""By the code of the DomainError that refuses the message: what is told as the reason. Any other says
that it is to be tried again, and is no refusal."""


async def tell(
    session: WriteSession,
    space: Space,
    *,
    sender: str,
    professional: str | None = None,
    recipients: Iterable[str],
    patients: Mapping[str, Patient | None],
    content: bytes = b"",
    reason: str,
    code: int,
    message: UUID | None = None,
    told_by: Literal["smtp", "report"] = "smtp",
) -> None:
    """One event for each recipient. `content` is empty before the message is seen, `message` None where
    nothing was accepted. Whoever writes from another operator's mailbox is EXTERNAL."""
    addresses = list(dict.fromkeys(recipients))
    boxes = await repository.get_mailboxes(session, space.name, [sender, *addresses])
    box = boxes.get(sender)
    author = telling.sender_of(box, professional) if box else events.Sender(EXTERNAL)
    writer = None
    if is_patients(sender):
        author = events.Sender(PATIENT)
        writer = await patient_repository.get_mailbox(session, space.name, sender)
    facts = read_facts(content[: split_header(content)])
    attempt = message or uuid7()
    told = []
    for address in addresses:
        patient = patients.get(address) or writer
        kind = PATIENT if is_patients(address) else None if reason == UNKNOWN else EXTERNAL
        told.append(
            events.message_refused(
                space.name,
                attempt,
                space.now(),
                sender=author,
                recipient_kind=boxes[address].kind if address in boxes else kind,
                patient=(patient.pseudonym or None) if patient else None,
                reason=reason,
                code=code,
                told_by=told_by,
                facts=facts,
            )
        )
    await publish(session, "mss", told)
