"""The use cases of Mon espace santé on its mailbox: what the patient reads, answers, closes.

Whoever tests plays the patient; there is no other identification (as services/dmp/patient_side.py).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.mss import conversation_repository as conversations
from services.mss import events
from services.mss import patient_repository as repository
from services.mss.conversation_repository import Contact, PatientMail
from services.mss.domain.conversation import others_in
from services.mss.domain.headers import parse_header
from services.mss.domain.patient_rules import PatientRules, State
from services.mss.domain.read_receipt import Reader, render_read_receipt
from services.mss.outgoing import Outgoing
from services.mss.patient_repository import PatientMailbox
from services.mss.patients import Patient
from services.mss.transport.posting import UnroutableError, post
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.idgen import uuid7
from socle.ids.ins import CITIZEN_DOMAIN
from socle.kernel import Kernel
from socle.spaces import Space

USER_AGENT = f"{CITIZEN_DOMAIN}; Socle MSS"


@dataclass(frozen=True, slots=True)
class Options:
    """Of an open message: who else an answer to all reaches, and whether its contact may be written to
    anew."""

    in_copy: list[str] = field(repr=False)
    may_write: bool


@dataclass(frozen=True, slots=True)
class PatientSide:
    """One qualified patient's own view."""

    kernel: Kernel
    space: Space
    patient: Patient

    async def mailbox(self) -> PatientMailbox:
        """As it is stored, or as everybody's is."""
        async with self.kernel.database.read() as session:
            rules = await repository.get_rules(session, self.space.name)
            box = await repository.get_mailbox(session, self.space.name, self.patient.address)
        return box or PatientMailbox(
            self.patient.address, self.patient.pseudonym, rules.default_state, "", ""
        )

    async def set_mailbox(
        self, *, state: State | None, name: str | None, email: str | None
    ) -> PatientMailbox:
        """What is None stays."""
        async with self.kernel.database.write() as session:
            rules = await repository.get_rules(session, self.space.name)
            before = await self._ensured(session, rules, to_change=True)
            after = replace(
                before,
                state=before.state if state is None else state,
                name=before.name if name is None else name,
                email=before.email if email is None else email,
            )
            await repository.update_mailbox(session, self.space.name, after)
        return after

    async def inbox(self, after: int, limit: int) -> list[PatientMail]:
        async with self.kernel.database.read() as session:
            return await conversations.list_mail(
                session, self.space.name, self.patient.address, after, limit
            )

    async def with_options(self, mails: Sequence[PatientMail]) -> list[tuple[PatientMail, Options]]:
        """Each with what the application offers for it now."""
        addressed = {mail.message: _addressed(mail) for mail in mails}
        asked = {address for found in addressed.values() for address in found}
        asked.update(mail.contact for mail in mails)
        async with self.kernel.database.read() as session:
            rules = await repository.get_rules(session, self.space.name)
            known = await conversations.open_contacts(
                session, self.space.name, self.patient.address, sorted(asked)
            )
        return [
            (
                mail,
                Options(rules.in_copy(addressed[mail.message], known), mail.contact in known),
            )
            for mail in mails
        ]

    async def in_copy(self, session: WriteSession, mail: PatientMail) -> list[str]:
        """To whom REPLY_TO_ALL goes beside the contact; they stay contacts until the commit."""
        rules = await repository.get_rules(session, self.space.name)
        addressed = _addressed(mail)
        known = await conversations.open_contacts(
            session, self.space.name, self.patient.address, addressed, keep=True
        )
        return rules.in_copy(addressed, known)

    async def contacts(self) -> list[Contact]:
        async with self.kernel.database.read() as session:
            return await conversations.list_contacts(session, self.space.name, self.patient.address)

    async def notifications(self, limit: int) -> list[tuple[UUID, str, datetime]]:
        async with self.kernel.database.read() as session:
            return await repository.list_notifications(
                session, self.space.name, self.patient.address, limit
            )

    async def read(self, message: UUID) -> tuple[PatientMail, bytes]:
        """The message; whoever asked for a receipt gets it the first time, and the patient cannot
        refuse it (spec: mss.md §5)."""
        name, now = self.space.name, self.space.now()
        async with self.kernel.database.write() as session:
            box = await self.open_box(session)
            mail = await self.one(session, message)
            content = await conversations.get_body(session, name, message)
            if mail.read_at is not None:
                return mail, content
            await conversations.mark_read(session, name, box.address, message, now)
            if mail.receipt_to is not None:
                await self._send_receipt(session, box, mail, mail.receipt_to, content)
                read = events.message_read(
                    name,
                    message,
                    now,
                    reader_kind=events.PATIENT,
                    patient=self.patient.pseudonym,
                    disposition="displayed",
                    failed=False,
                )
                await publish(session, "mss", [read])
        failpoint("mss.read")
        return replace(mail, read_at=now), content

    async def _send_receipt(
        self,
        session: WriteSession,
        box: PatientMailbox,
        mail: PatientMail,
        to: str,
        content: bytes,
    ) -> None:
        reader = Reader(box.address, box.name, USER_AGENT)
        outgoing = Outgoing(session, self.space.name, self.space.now())
        receipt = render_read_receipt(content, reader, to, uuid7(), outgoing.at)
        stored, _ = await outgoing.store(receipt, None)
        with suppress(UnroutableError):
            await post(outgoing, box.address, to, stored)
        await outgoing.file()

    async def open_box(self, session: WriteSession) -> PatientMailbox:
        """The mailbox, which nobody closes until the commit."""
        rules = await repository.get_rules(session, self.space.name)
        box = await self._ensured(session, rules)
        if box.state != "active":
            raise DomainError(
                Category.CONFLICT,
                f"mailbox_{box.state}",
                "Only the patient of an active mailbox reads and writes.",
            )
        return box

    async def _ensured(
        self, session: WriteSession, rules: PatientRules, *, to_change: bool = False
    ) -> PatientMailbox:
        return await repository.ensure_mailbox(
            session,
            self.space.name,
            self.patient.address,
            self.patient.pseudonym,
            rules.default_state,
            to_change=to_change,
        )

    async def one(self, session: WriteSession, message: UUID) -> PatientMail:
        mail = await conversations.get_mail(
            session, self.space.name, self.patient.address, message, lock=True
        )
        if mail is None:
            raise DomainError(
                Category.NOT_FOUND, "message_unknown", "The patient has received no such message."
            )
        return mail


def _addressed(mail: PatientMail) -> list[str]:
    return others_in(parse_header(mail.header), mail.contact)
