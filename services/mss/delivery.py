"""To each recipient of a message: filed, or refused with a reason; and the reports on both."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from typing import Literal
from uuid import UUID

from services.mss import conversation_repository, patient_repository
from services.mss.domain.automatic import automatic_answer
from services.mss.domain.conversation import Incoming, read_incoming
from services.mss.domain.delivery_report import DeliveryReport, render_delivery_report
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.mailboxes import Mailbox
from services.mss.domain.patient_rules import (
    MAILER_DAEMON,
    Answer,
    PatientRules,
    Reason,
    identities_of,
)
from services.mss.domain.read_receipt import is_report
from services.mss.outgoing import Outgoing
from services.mss.patient_repository import KIND, PatientMailbox
from services.mss.patients import Patient
from services.mss.transport.posting import UnroutableError, post
from socle.idgen import uuid7


@dataclass(frozen=True, slots=True)
class Refusal:
    """`subject` is that of the report, should one tell it."""

    reason: Reason | Literal["mailbox_unknown", "mailbox_closed", "mailbox_full"]
    answer: Answer
    subject: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient. `kind` is that of the mailbox, `pseudonym` the patient's."""

    recipient: Recipient
    kind: str
    pseudonym: str | None = None
    refusal: Refusal | None = None
    closed: Literal["conversation", "message"] | None = None
    abroad: bool = False
    """Another operator serves it: the message waits in the queue."""


def refusal_of(rules: PatientRules, reason: Reason) -> Refusal:
    return Refusal(reason, rules.answer(reason), rules.subject(reason))


def why_unknown(address: str) -> Reason:
    """Of an address that is no qualified patient's."""
    return "unknown" if identities_of(address) else "invalid_address"


@dataclass
class Delivery:
    """The deliveries of one message, in one transaction."""

    outgoing: Outgoing
    rules: PatientRules
    message: UUID
    envelope: Envelope
    content: bytes = field(repr=False)
    header: "Message[str, str]" = field(repr=False)

    def to_mailbox(self, recipient: Recipient, box: Mailbox) -> Outcome:
        self.outgoing.deliver(recipient.address, self.message)
        return Outcome(recipient, box.kind)

    async def to_patient(self, recipient: Recipient, patient: Patient | None) -> Outcome:
        if patient is None:
            return self._refused(recipient, why_unknown(recipient.address), None)
        if len(self.content) > self.rules.max_bytes:
            return self._refused(recipient, "too_large", patient.pseudonym or None)
        if patient.is_automatic:
            await self._answer_automatically(recipient)
            return Outcome(recipient, KIND)
        return await self._into_mailbox(recipient, patient)

    def _refused(self, recipient: Recipient, reason: Reason, pseudonym: str | None) -> Outcome:
        return Outcome(recipient, KIND, pseudonym, refusal_of(self.rules, reason))

    async def _into_mailbox(self, recipient: Recipient, patient: Patient) -> Outcome:
        session, space = self.outgoing.session, self.outgoing.space
        known = await patient_repository.get_mailbox(session, space, patient.address)
        reason = self.rules.refuses(known.state if known else self.rules.default_state)
        if reason is None:
            box = await patient_repository.ensure_mailbox(
                session, space, patient.address, patient.pseudonym, self.rules.default_state
            )
            reason = self.rules.refuses(box.state)  # it may have been closed since the first look
        if reason is not None:
            return self._refused(recipient, reason, patient.pseudonym)
        incoming = read_incoming(
            self.header, self.envelope.sender, is_report=is_report(self.header)
        )
        await conversation_repository.insert_mail(
            session, space, box.address, self.message, incoming
        )
        closed = await self._converse(box, incoming)
        self.outgoing.deliver(box.address, self.message)
        if box.email and box.state == "active":
            await patient_repository.insert_notification(session, space, box, self.outgoing.at)
        return Outcome(recipient, KIND, patient.pseudonym, closed=closed)

    async def _converse(
        self, box: PatientMailbox, incoming: Incoming
    ) -> Literal["conversation", "message"] | None:
        """Opens the conversation, ends it, or leaves it as it is."""
        session, space, at = self.outgoing.session, self.outgoing.space, self.outgoing.at
        if incoming.ends_everything:
            ended = await conversation_repository.close_contacts(
                session, space, box.address, self.envelope.sender, incoming.contact, at
            )
            return "conversation" if ended else None
        if incoming.reply == "REPLY":
            await conversation_repository.open_contact(
                session, space, box.address, incoming.contact, at
            )
            return None
        return "message" if incoming.refuses_answers else None

    async def _answer_automatically(self, recipient: Recipient) -> None:
        """Never to a report or to another machine (RFC 3834 §2)."""
        if not self.envelope.sender or is_report(self.header):
            return
        answer_id = uuid7()
        content = automatic_answer(
            self.header, recipient.address, self.envelope.sender, answer_id, self.outgoing.at
        )
        stored, _ = await self.outgoing.store(content, None)
        with suppress(UnroutableError):
            await post(self.outgoing, recipient.address, self.envelope.sender, stored)

    async def report(self, report: DeliveryReport, reporting_mta: str) -> None:
        content = render_delivery_report(
            report, self.envelope, self.content, reporting_mta=reporting_mta, report_id=uuid7(),
            at=self.outgoing.at,
        )  # fmt: skip
        stored, _ = await self.outgoing.store(content, None)
        self.outgoing.deliver(self.envelope.sender, stored)


def reports_on(
    outcomes: Sequence[Outcome], envelope: Envelope, hostname: str
) -> Iterator[DeliveryReport]:
    """Those that were asked for; none on a message without a return path (RFC 3461 §6.2)."""
    if not envelope.sender:
        return
    for one in outcomes:
        if one.abroad:  # the operator that serves it will say
            continue
        author = MAILER_DAEMON if one.kind == KIND else f"MAILER-DAEMON@{hostname}"
        address = one.recipient.address
        if one.refusal is not None and one.recipient.wants_failure:
            answer = one.refusal.answer
            yield DeliveryReport(
                author=author,
                subject=one.refusal.subject,
                text=f"Votre message n'a pas pu être remis à {address}.\n\n{answer.text}",
                action="failed",
                status=answer.status,
                diagnostic=f"{answer.code} {answer.status} {answer.text}",
                recipient=one.recipient,
            )
        elif one.refusal is None and one.recipient.wants_success:
            yield DeliveryReport(
                author=author,
                subject="Message distribué",
                text=f"Votre message a été remis à {address}.",
                action="delivered",
                status="2.0.0",
                diagnostic="250 2.0.0 OK",
                recipient=one.recipient,
            )
