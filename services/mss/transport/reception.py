"""What a peer hands in: stored and delivered in one transaction, told and reported on.

The peer's mailboxes are its own affair: the sender need not be one that this sandbox knows.
"""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from services.mss import events, linting, patient_repository, refusals, repository, telling
from services.mss.access import require_open, require_room
from services.mss.delivery import Delivery, reports_on
from services.mss.domain.envelope import Envelope
from services.mss.domain.headers import parse_header, read_facts, split_header
from services.mss.domain.lint.mail import Passage
from services.mss.domain.patient_rules import is_patients
from services.mss.intake import smtp_code
from services.mss.linting import Standing
from services.mss.outgoing import Outgoing
from services.mss.patients import Patient, PatientDirectory
from services.mss.settings import MssSettings
from services.mss.transport.reports import send_reports
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.kernel import Kernel
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Reception:
    """The way in from other operators: one in a process."""

    kernel: Kernel
    settings: MssSettings
    patients: PatientDirectory

    async def receive(self, space_name: str, envelope: Envelope, content: bytes) -> UUID:
        """Whoever returns from here may say 250. A peer that lost it sends again: the same bytes
        with the same Message-ID from the same sender are delivered once to each recipient."""
        space = await self.kernel.spaces.get(space_name)
        patients = await self._patients(space_name, envelope)
        standing = Standing((await linting.policy_of(self.kernel, space_name)).mode)
        try:
            async with self.kernel.database.write() as session:
                message = await self._store(session, space, envelope, content, patients, standing)
        except DomainError as error:
            reason = refusals.AT_DATA.get(error.code)
            if reason is not None and smtp_code(error) >= 500:
                await self.tell_refused(space_name, envelope, content, reason, smtp_code(error))
            raise
        failpoint("mss.received")
        return message

    async def tell_refused(
        self, space_name: str, envelope: Envelope, content: bytes, reason: str, code: int
    ) -> None:
        """For each recipient, as an event; what the peer may try again is not told."""
        space = await self.kernel.spaces.get(space_name)
        patients: dict[str, Patient | None] = {}
        with suppress(DomainError):
            patients = await self._patients(space_name, envelope)
        async with self.kernel.database.write() as session:
            await refusals.tell(
                session,
                space,
                sender=envelope.sender,
                recipients=[one.address for one in envelope.recipients],
                patients=patients,
                content=content,
                reason=reason,
                code=code,
            )

    async def _patients(self, space: str, envelope: Envelope) -> dict[str, Patient | None]:
        return {
            one.address: await self.patients.find(space, one.address)
            for one in envelope.recipients
            if is_patients(one.address)
        }

    async def _store(
        self,
        session: WriteSession,
        space: Space,
        envelope: Envelope,
        content: bytes,
        patients: dict[str, Patient | None],
        standing: Standing,
    ) -> UUID:
        header = content[: split_header(content)]
        addresses = [one.address for one in envelope.recipients]
        boxes = await repository.get_mailboxes(session, space.name, [envelope.sender, *addresses])
        if any(address not in boxes and address not in patients for address in addresses):
            raise DomainError(Category.NOT_FOUND, "mailbox_unknown", "A mailbox exists no more.")
        filled = [box for box in boxes.values() if box.address in addresses]
        require_open(filled)
        outgoing = Outgoing(session, space.name, space.now())
        message, new = await outgoing.store(content, envelope.sender)
        fresh = set(await repository.insert_recipients(session, space.name, message, addresses))
        delivery = Delivery(
            outgoing,
            await patient_repository.get_rules(session, space.name),
            message,
            envelope,
            content,
            parse_header(header),
        )
        outcomes = [
            await delivery.to_patient(one, patients[one.address])
            if one.address in patients
            else delivery.to_mailbox(one, boxes[one.address])
            for one in sorted(envelope.recipients, key=lambda one: one.address)
            if one.address in fresh
        ]
        hostname = self.settings.mss_hostname
        reports = reports_on(outcomes, envelope, hostname)
        await send_reports(outgoing, reports, envelope, content, hostname, own=False)
        await outgoing.file()
        await require_room(session, space.name, filled)
        box = boxes.get(envelope.sender)
        sender = telling.sender_of(box, None) if box else events.Sender(events.EXTERNAL)
        if new:  # told, never enforced: its own operator has taken it already
            passage = linting.seen(Passage(protocol="peer"), box.kind if box else "", envelope)
            await linting.note(session, space, message, passage, standing)
        facts, size = read_facts(header), len(content)
        told = telling.taken_in(space, message, sender, facts, size, outcomes, new=False)
        await publish(session, "mss", told)
        return message
