"""A message enters: stored, delivered, reported on and told, in one transaction.

Whoever returns from `submit` may say 250.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import access, linting, patient_repository, refusals, repository, telling
from services.mss.access import require_open, require_room
from services.mss.delivery import Delivery, Outcome, Refusal, refusal_of, reports_on, why_unknown
from services.mss.domain.envelope import Envelope
from services.mss.domain.headers import (
    facts_of,
    parse_header,
    split_header,
)
from services.mss.domain.lint.mail import Passage
from services.mss.domain.mailboxes import Mailbox
from services.mss.domain.patient_rules import Answer, PatientRules, is_patients
from services.mss.domain.trust import domain_of
from services.mss.events import EXTERNAL
from services.mss.hot.way import PlainWay, is_plain
from services.mss.linting import Standing
from services.mss.outgoing import Outgoing
from services.mss.patients import Patient, PatientDirectory
from services.mss.settings import MssSettings
from services.mss.transport.queue import enqueue
from services.mss.transport.routing import route
from services.mss.trust import repository as trust
from socle.clock import wall
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.kernel import Kernel
from socle.spaces import Space

UNKNOWN_MAILBOX = Refusal(
    "mailbox_unknown",
    Answer(
        code=550,
        status="5.1.1",
        text="Recipient address rejected: no such mailbox in this space",
    ),
    "",
)

UNLISTED_DOMAIN = Refusal(
    "mailbox_unknown",
    Answer(
        code=550,
        status="5.1.2",
        text="Recipient address rejected: its domain is not in the whitelist of the trust space",
    ),
    "",
)
CLOSED_MAILBOX = Refusal(
    "mailbox_closed",
    Answer(code=550, status="5.2.1", text="Recipient address rejected: the mailbox is closed"),
    "",
)
FULL_MAILBOX = Refusal(
    "mailbox_full",
    Answer(code=452, status="4.2.2", text="Recipient address rejected: the mailbox is over quota"),
    "",
)


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who submits, and the mailbox that they are logged in to."""

    space: str
    mailbox: str = field(repr=False)
    professional: str | None = field(repr=False)
    token: str = field(default="", repr=False)
    passage: Passage = Passage()  # noqa: RUF009 — frozen
    """What the reports are told of the way in."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """`warned` is the rule that was broken and is only warned of."""

    message: UUID
    outcomes: tuple[Outcome, ...]
    warned: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """The way in of messages: one in a process."""

    kernel: Kernel
    settings: MssSettings
    patients: PatientDirectory
    plain: PlainWay

    async def submit(self, submitter: Submitter, envelope: Envelope, content: bytes) -> Submitted:
        """SMTP has no idempotence key: a client that lost the 250 sends again. The same bytes with the
        same Message-ID from the same mailbox are therefore one message, delivered once to each
        recipient and reported on once. Without a Message-ID each submission is its own message.

        A refusal of the message is told as an event for each recipient, then raised.
        """
        try:
            return await self._submit(submitter, envelope, content)
        except DomainError as error:
            reason = refusals.AT_DATA.get(error.code)
            if reason is not None:
                await self.tell_refused(submitter, envelope, content, reason, smtp_code(error))
            raise

    async def tell_refused(
        self, submitter: Submitter, envelope: Envelope, content: bytes, reason: str, code: int
    ) -> None:
        """That the message as a whole was refused; INS being away does not hinder it."""
        patients = {}
        with suppress(DomainError):
            patients = await self._patients(submitter, envelope)
        await self._tell(
            submitter,
            [one.address for one in envelope.recipients],
            patients,
            content=content,
            reason=reason,
            code=code,
        )

    async def _submit(self, submitter: Submitter, envelope: Envelope, content: bytes) -> Submitted:
        space = await self.kernel.spaces.get(submitter.space)
        standing = await linting.check_before(
            self.kernel, space, submitter.mailbox, envelope, content, submitter.passage
        )
        own = envelope.sender == submitter.mailbox
        if own and standing.report is None and is_plain(envelope):
            passage = None if standing.mode == "off" else submitter.passage
            stored = await self.plain.submit(
                space, envelope, content, submitter.professional, passage
            )
            if stored is not None:
                failpoint("mss.stored")
                return Submitted(stored[0], (stored[1],), standing.warned)
        # Outside of the transaction: INS may be asked.
        patients = await self._patients(submitter, envelope)
        async with self.kernel.database.write() as session:
            submitted = await self._store(
                session, space, submitter, envelope, content, patients, standing
            )
        failpoint("mss.stored")
        return submitted

    async def refusal_of(self, submitter: Submitter, address: str, size: int = 0) -> Refusal | None:
        """Why this recipient is refused at once, before the message is seen; it is told as an event.
        `size` is what the sender has announced."""
        found = await self._look_up(submitter, address, size)
        if found is None:
            return None
        refusal, patient = found
        await self._tell(
            submitter,
            [address],
            {address: patient},
            reason=refusal.reason,
            code=refusal.answer.code,
        )
        return refusal

    async def _tell(
        self,
        submitter: Submitter,
        recipients: Sequence[str],
        patients: Mapping[str, Patient | None],
        *,
        content: bytes = b"",
        reason: str,
        code: int,
    ) -> None:
        space = await self.kernel.spaces.get(submitter.space)
        async with self.kernel.database.write() as session:
            await refusals.tell(
                session,
                space,
                sender=submitter.mailbox,
                professional=submitter.professional,
                recipients=recipients,
                patients=patients,
                content=content,
                reason=reason,
                code=code,
            )

    async def _look_up(
        self, submitter: Submitter, address: str, size: int
    ) -> tuple[Refusal, Patient | None] | None:
        """The refusal, and the patient whose mailbox refuses."""
        space = submitter.space
        if not is_patients(address):
            own_domain = domain_of(address) == domain_of(submitter.mailbox)
            if own_domain and await self.plain.is_there(space, address):
                return None
            async with self.kernel.database.read() as session:
                known = await repository.get_mailboxes(session, space, [address])
                way = await route(session, space, submitter.mailbox, [address])
                if way.abroad:
                    return None
                refusal = await refusal_by(session, space, address, known.get(address), size)
            return None if refusal is None else (refusal, None)
        patient = await self.patients.find(space, address, submitter.token)
        async with self.kernel.database.read() as session:
            rules = await patient_repository.get_rules(session, space)
            box = await patient_repository.get_mailbox(session, space, address)
        if rules.refusal == "bounce":
            return None
        if patient is None:
            return refusal_of(rules, why_unknown(address)), None
        reason = rules.refuses(box.state if box else rules.default_state)
        if reason is None or patient.is_automatic:
            return None
        return refusal_of(rules, reason), patient

    async def _patients(
        self, submitter: Submitter, envelope: Envelope
    ) -> dict[str, Patient | None]:
        return {
            one.address: await self.patients.find(submitter.space, one.address, submitter.token)
            for one in envelope.recipients
            if is_patients(one.address)
        }

    async def _store(
        self,
        session: WriteSession,
        space: Space,
        submitter: Submitter,
        envelope: Envelope,
        content: bytes,
        patients: dict[str, Patient | None],
        standing: Standing,
    ) -> Submitted:
        now = space.now()
        header = parse_header(content[: split_header(content)])
        facts = facts_of(header)
        addresses = [one.address for one in envelope.recipients]
        boxes = await repository.get_mailboxes(session, space.name, [submitter.mailbox, *addresses])
        way = await route(session, space.name, submitter.mailbox, addresses)
        known = {*boxes, *patients, *way.abroad}
        if submitter.mailbox not in boxes or not known.issuperset(addresses):
            raise DomainError(Category.NOT_FOUND, "mailbox_unknown", "A mailbox exists no more.")
        filled = [box for box in boxes.values() if box.address in addresses]
        require_open([boxes[submitter.mailbox], *filled])
        sender = telling.sender_of(boxes[submitter.mailbox], submitter.professional)
        outgoing = Outgoing(session, space.name, now)
        message, new = await outgoing.store(content, submitter.mailbox)
        # Those abroad are the receiver's to remember: it is where they may arrive twice.
        here = [address for address in addresses if address not in way.abroad]
        fresh = set(await repository.insert_recipients(session, space.name, message, here))
        delivery = Delivery(
            outgoing,
            await patient_repository.get_rules(session, space.name) if patients else PatientRules(),
            message,
            envelope,
            content,
            header,
        )
        recipients = sorted(envelope.recipients, key=lambda one: one.address)
        outcomes = [
            await delivery.to_patient(one, patients[one.address])
            if one.address in patients
            else delivery.to_mailbox(one, boxes[one.address])
            for one in recipients
            if one.address in fresh
        ]
        leaving = [one for one in recipients if one.address in way.abroad]
        await enqueue(session, space.name, message, way.operator, envelope, leaving, wall())
        outcomes += [
            Outcome(one, boxes[one.address].kind if one.address in boxes else EXTERNAL, abroad=True)
            for one in leaving
        ]
        for report in reports_on(outcomes, envelope, self.settings.mss_hostname):
            await delivery.report(report, self.settings.mss_hostname)
        await outgoing.file()
        await require_room(session, space.name, filled)
        told = telling.taken_in(space, message, sender, facts, len(content), outcomes, new=new)
        if new:
            kind = boxes[submitter.mailbox].kind
            passage = linting.seen(submitter.passage, kind, envelope)
            await linting.note(session, space, message, passage, standing)
            told += await telling.of_earlier(
                session, space, message, sender, header, content, outcomes
            )
        await publish(session, "mss", told)
        return Submitted(message, tuple(outcomes), standing.warned)


def smtp_code(error: DomainError) -> int:
    """Of a refusal at DATA. A full mailbox may have room later."""
    return FULL_MAILBOX.answer.code if error.code == "mailbox_full" else error.mapped.smtp


async def refusal_by(
    session: AsyncSession, space: str, address: str, box: Mailbox | None, size: int
) -> Refusal | None:
    """Why a professional's mailbox takes nothing, or not that much."""
    if box is None:
        listed = await trust.dns_of(session, space, domain_of(address))
        return UNKNOWN_MAILBOX if listed else UNLISTED_DOMAIN
    if not box.active:
        return CLOSED_MAILBOX
    return FULL_MAILBOX if await access.is_full(session, space, box, size) else None
