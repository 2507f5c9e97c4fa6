"""What a message that comes in is told as."""

from collections import Counter
from collections.abc import Sequence
from email.message import Message
from uuid import UUID

from services.mss import events, repository
from services.mss.delivery import Outcome
from services.mss.domain.headers import MailFacts, message_ids
from services.mss.domain.mailboxes import Mailbox
from services.mss.domain.read_receipt import read_receipt
from socle.db.database import WriteSession
from socle.events.envelope import Event
from socle.ids.structures import parse_struct_idnat
from socle.spaces import Space


def sender_of(box: Mailbox | None, professional: str | None) -> events.Sender:
    assert box is not None  # mailboxes are never deleted
    return events.Sender(box.kind, professional, parse_struct_idnat(box.structure))


def taken_in(
    space: Space,
    message: UUID,
    sender: events.Sender,
    facts: MailFacts,
    size: int,
    outcomes: Sequence[Outcome],
    *,
    new: bool,
) -> list[Event]:
    name, now = space.name, space.now()
    taken = [one for one in outcomes if one.refusal is None]
    told = []
    if new:
        told.append(
            events.message_accepted(
                name,
                message,
                now,
                sender=sender,
                recipient_kinds=Counter(
                    one.kind for one in outcomes if one.kind != events.EXTERNAL
                ),
                patients=[one.pseudonym for one in taken if one.pseudonym],
                size=size,
                facts=facts,
            )
        )
    for one in outcomes:
        if one.abroad:
            continue
        if one.refusal is None:
            told.append(
                events.message_delivered(
                    name,
                    message,
                    now,
                    sender=sender,
                    recipient_kind=one.kind,
                    patient=one.pseudonym,
                    facts=facts,
                )
            )
        else:
            told.append(
                events.message_refused(
                    name,
                    message,
                    now,
                    sender=sender,
                    recipient_kind=one.kind,
                    patient=one.pseudonym,
                    reason=one.refusal.reason,
                    code=one.refusal.answer.code,
                    told_by="report",
                    facts=facts,
                )
            )
        if one.closed and one.pseudonym:
            told.append(
                events.conversation_closed(
                    name, message, now, sender=sender, patient=one.pseudonym, scope=one.closed
                )
            )
    return told


async def of_earlier(
    session: WriteSession,
    space: Space,
    message: UUID,
    sender: events.Sender,
    header: "Message[str, str]",
    content: bytes,
    outcomes: Sequence[Outcome],
) -> list[Event]:
    """What this message is to an earlier one that a recipient of it wrote: a receipt, or a reply."""
    recipients = [one.recipient.address for one in outcomes]
    pseudonym = next((one.pseudonym for one in outcomes if one.pseudonym), None)
    receipt = read_receipt(content)
    if receipt is not None:
        found = await repository.find_submitted(
            session, space.name, receipt.original_message_id, recipients
        )
        if found is None:
            return []
        return [
            events.message_read(
                space.name,
                found[0],
                space.now(),
                reader_kind=sender.kind,
                patient=pseudonym,
                disposition=receipt.disposition,
                failed=receipt.failed,
            )
        ]
    for answered in message_ids(header, "In-Reply-To")[:1]:
        found = await repository.find_submitted(session, space.name, answered, recipients)
        if found is not None:
            kinds = {one.kind for one in outcomes}
            towards = events.PATIENT if events.PATIENT in kinds else ""
            return [
                events.message_replied(
                    space.name,
                    found[0],
                    space.now(),
                    reply=message,
                    direction=events.direction_of(sender.kind, towards),
                    sender=sender,
                    patient=pseudonym,
                )
            ]
    return []
