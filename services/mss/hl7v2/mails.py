"""The mails that a message asks for: one to all professionals, one to the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID, uuid5

from services.mss import letters
from services.mss import repository as mailboxes
from services.mss.domain.letter import Letter
from services.mss.domain.lint.mail import Passage
from services.mss.domain.trust import domain_of
from services.mss.hl7v2 import repository
from services.mss.hl7v2.order import Order
from services.mss.hl7v2.participants import Addressee
from services.mss.hl7v2.repository import AnnouncedMail, Sender
from services.mss.intake import Intake, Submitter
from services.mss.sending import Result
from socle.spaces import Space

Fate = int | Literal["received", "unknown"]
"""A code of SMTP where it was refused; `unknown` until a delivery report tells."""

_MAILS: Final = UUID("3d6b1c7e-9f0a-5a53-9a63-5b1f2f7e8a10")
"""The namespace of the identifiers of the mails."""
_UNKNOWN_RECIPIENT: Final = 550
_REPORTS: Final = frozenset({"SUCCESS", "FAILURE"})


@dataclass(frozen=True, slots=True)
class Sent:
    message_id: str
    message: UUID | None
    fates: Mapping[Addressee, Fate] = field(repr=False)


def announced(sender: Sender, order: Order, digest: bytes) -> list[AnnouncedMail]:
    """The same message makes the same mails, at each attempt."""
    found = []
    for to_patient in (False, True):
        name = "\n".join(
            (sender.space, sender.application, sender.facility, order.control_id, digest.hex(),
             str(to_patient))
        )  # fmt: skip
        addressees = tuple(order.to(patients=to_patient))
        if addressees:
            message_id = f"<{uuid5(_MAILS, name)}@{domain_of(sender.mailbox)}>"
            found.append(AnnouncedMail(message_id, addressees))
    return found


async def send(
    intake: Intake, sender: Sender, space: Space, order: Order, mail: AnnouncedMail
) -> Sent:
    """By the way in that every message has; one that was sent before is not sent twice."""
    to_patient = mail.addressees[0].is_patient
    async with intake.kernel.database.read() as session:
        boxes = await mailboxes.get_mailboxes(session, space.name, [sender.mailbox])
    letter = Letter(
        sender=sender.mailbox,
        sender_label=boxes[sender.mailbox].label if sender.mailbox in boxes else "",
        recipients=tuple(it.address for it in mail.addressees),
        documents=order.documents,
        message_id=mail.message_id,
        text=order.text_for_patient if to_patient else order.text_for_professionals,
        reply_to=order.reply_to,
        read_receipt_to=sender.mailbox if order.flags["ACK_LECTURE_MSS"] else "",
        is_final=order.is_final and to_patient,
    )
    submitter = Submitter(space.name, sender.mailbox, None, "", Passage(protocol="mllp"))
    reported = {it.address: _REPORTS for it in mail.addressees if _is_abroad(sender, it)}
    posted = await letters.post(intake, submitter, space, letter, reported)
    if posted.attempt is not None:
        results = {it.address: it for it in posted.attempt.results}
        fates = {it: _fate(results.get(it.address)) for it in mail.addressees}
        return Sent(mail.message_id, posted.attempt.id, fates)
    assert posted.again is not None
    async with intake.kernel.database.read() as session:
        there = await repository.delivered_to(session, space.name, posted.again)
    fates = {it: _fate_before(sender, it, there) for it in mail.addressees}
    return Sent(mail.message_id, posted.again, fates)


def told(sent: Sequence[Sent]) -> list[tuple[Sent, Addressee, int | None]]:
    """Whose reception is known, and the code where it was refused."""
    return [
        (mail, addressee, None if fate == "received" else fate)
        for mail in sent
        for addressee, fate in mail.fates.items()
        if fate != "unknown"
    ]


def _is_abroad(sender: Sender, addressee: Addressee) -> bool:
    """Another operator's server says whether it took the mail: a delivery report is asked for."""
    return not addressee.is_patient and domain_of(addressee.address) != domain_of(sender.mailbox)


def _fate(result: Result | None) -> Fate:
    if result is None or result.leaves:
        return "unknown"
    return "received" if result.refusal is None else result.refusal.answer.code


def _fate_before(sender: Sender, addressee: Addressee, there: Mapping[str, bool]) -> Fate:
    """Of a mail that an earlier attempt has sent: what it was told is not remembered."""
    if addressee.address in there:
        return "received" if there[addressee.address] else "unknown"
    return "unknown" if _is_abroad(sender, addressee) else _UNKNOWN_RECIPIENT
