"""What a patient writes: the answer to a message, or a new one to somebody who may be written to."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from services.mss import conversation_repository as conversations
from services.mss import events
from services.mss import patient_letter_repository as letters
from services.mss import patient_repository as repository
from services.mss.access import require_room
from services.mss.conversation_repository import PatientMail
from services.mss.domain.compose import Attachment, Draft, answer_subject, compose, references
from services.mss.domain.conversation import Option
from services.mss.domain.headers import decoded, message_ids, parse_header, read_facts, split_header
from services.mss.outgoing import Outgoing
from services.mss.patient_repository import PatientMailbox
from services.mss.patient_side import PatientSide
from services.mss.repository import get_mailboxes
from services.mss.transport.posting import UnroutableError, post
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.idgen import uuid7
from socle.ids.ins import CITIZEN_DOMAIN

BLOCKED, NO_REPLY = "REPLY_BLOCKED", "NO_REPLY"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a patient writes; `written_by` is who holds the pen for them, and the body says so."""

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    written_by: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """The caller's key and the digest of what they asked: the same key is the same letter."""

    key: str = field(repr=False)
    digest: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """`again` where the letter had been sent before, and was not sent a second time."""

    message: UUID
    message_id: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class PatientLetters:
    """Of one patient."""

    side: PatientSide

    async def reply(
        self, message: UUID, letter: Letter, option: Option, request: Request | None = None
    ) -> Sent:
        """To the authorised contact, while the conversation is open; REPLY_TO_ALL also to those of To
        and Cc whom the patient may write to."""
        return await self._once(
            request, lambda session: self._reply(session, message, letter, option)
        )

    async def write(self, to: str, letter: Letter, request: Request | None = None) -> Sent:
        """To a contact with whom the conversation is open; to a pharmacy also first."""
        return await self._once(request, lambda session: self._write(session, to, letter))

    async def _once(
        self, request: Request | None, send: Callable[[WriteSession], Awaitable[Sent]]
    ) -> Sent:
        """The key is kept by the transaction that sends: whoever comes with the same one meanwhile
        waits, and has the first one's answer, whatever may have become of the conversation since."""
        space, patient = self.side.space.name, self.side.patient.address
        async with self.side.kernel.database.write() as session:
            if request is not None:
                known = await letters.claim(session, space, patient, request.key, request.digest)
                if known is not None and known.digest != request.digest:
                    raise DomainError(
                        Category.CONFLICT,
                        "reference_taken",
                        "Idempotency-Key désigne déjà un message dont le contenu est différent.",
                    )
                if known is not None:
                    return Sent(known.message, known.message_id, again=True)
            sent = await send(session)
            if request is not None:
                await letters.settle(session, space, patient, request.key, sent.message)
        failpoint("mss.replied")
        return sent

    async def _reply(
        self, session: WriteSession, message: UUID, letter: Letter, option: Option
    ) -> Sent:
        box = await self.side.open_box(session)
        mail = await self.side.one(session, message)
        if mail.reply == NO_REPLY:
            raise _refused("NO_REPLY", "Ce message n'attend pas de réponse.")
        if mail.reply == BLOCKED:
            raise _refused("REPLY_BLOCKED", "Le professionnel a mis fin à vos échanges.")
        header = parse_header(mail.header)
        copies: list[str] = []
        if option == "REPLY_TO_ALL":
            copies = await self.side.in_copy(session, mail)
            if not copies:
                raise _refused(
                    "NO_REPLY_TO_ALL", "Ce message n'a pas d'autre destinataire à qui répondre."
                )
        answered = message_ids(header, "Message-ID")[:1]
        tied = [
            pair
            for one in answered
            for pair in (("In-Reply-To", one), ("References", references(header, one)))
        ]
        subject = letter.subject or answer_subject(decoded(header.get("Subject")))
        letter = replace(letter, subject=subject)
        return await self._send(session, box, [mail.contact, *copies], letter, tied, answers=mail)

    async def _write(self, session: WriteSession, to: str, letter: Letter) -> Sent:
        box = await self.side.open_box(session)
        name = self.side.space.name
        if not await conversations.open_contacts(session, name, box.address, [to], keep=True):
            rules = await repository.get_rules(session, name)
            known = await get_mailboxes(session, name, [to])
            pharmacy = to in rules.pharmacies and to in known and known[to].kind == "ORG"
            if not (pharmacy and rules.patient_may_write_to_pharmacies):
                raise _refused(
                    "CONTACT_NOT_AUTHORISED",
                    "Vous pouvez uniquement contacter les professionnels qui vous ont déjà écrit "
                    "et qui n'ont pas mis fin aux échanges.",
                )
            await conversations.open_contact(session, name, box.address, to, self.side.space.now())
        return await self._send(session, box, [to], letter, [], answers=None)

    async def _send(
        self,
        session: WriteSession,
        box: PatientMailbox,
        to: Sequence[str],
        letter: Letter,
        headers: Sequence[tuple[str, str]],
        *,
        answers: PatientMail | None,
    ) -> Sent:
        """Shown as `Prénom Nom <INS@patient.mssante.fr>` (ECO.3.1.2); `to` after the first in copy."""
        name, now = self.side.space.name, self.side.space.now()
        rules = await repository.get_rules(session, name)
        message_id = f"<{uuid7()}@{CITIZEN_DOMAIN}>"
        content = compose(_draft(box, to, letter, message_id, headers), now)
        if len(content) > rules.max_bytes:
            raise DomainError(
                Category.TOO_LARGE,
                "MSG_FILE_SIZE_EXCEEDED_ERROR",
                f"Le message a {len(content)} octets ; {rules.max_bytes} au plus sont acceptés.",
            )
        outgoing = Outgoing(session, name, now)
        message, _ = await outgoing.store(content, box.address)
        try:
            posted = [
                await post(outgoing, box.address, one, message, return_path=box.address)
                for one in to
            ]
        except UnroutableError:
            raise _refused(
                "CONTACT_UNKNOWN", "L'adresse du professionnel n'existe plus ou est fermée."
            ) from None
        outgoing.deliver(box.address, message, "Sent")
        await outgoing.file()
        here = [
            one for one in posted if one is not None
        ]  # another operator tells nobody what it did
        await require_room(session, name, here)
        facts = read_facts(content[: split_header(content)])
        pseudonym, sender = self.side.patient.pseudonym, events.Sender(events.PATIENT)
        told = [
            events.message_accepted(
                name,
                message,
                now,
                sender=sender,
                recipient_kinds=Counter(one.kind for one in here),
                patients=[pseudonym],
                size=len(content),
                facts=facts,
            ),
        ]
        told += [
            events.message_delivered(
                name,
                message,
                now,
                sender=sender,
                recipient_kind=one.kind,
                patient=pseudonym,
                facts=facts,
            )
            for one in here
        ]
        if answers is not None:
            told.append(
                events.message_replied(
                    name,
                    answers.message,
                    now,
                    reply=message,
                    direction="patient-to-professional",
                    sender=sender,
                    patient=pseudonym,
                )
            )
        await publish(session, "mss", told)
        return Sent(message, message_id)


def _refused(
    code: Literal[
        "NO_REPLY", "REPLY_BLOCKED", "NO_REPLY_TO_ALL", "CONTACT_NOT_AUTHORISED", "CONTACT_UNKNOWN"
    ],
    detail: str,
) -> DomainError:
    return DomainError(Category.FORBIDDEN, code, detail)


def _draft(
    box: PatientMailbox,
    to: Sequence[str],
    letter: Letter,
    message_id: str,
    headers: Sequence[tuple[str, str]],
) -> Draft:
    said_by = f"Message rédigé par {letter.written_by}.\n\n" if letter.written_by else ""
    local, _, domain = box.address.partition("@")
    return Draft(
        sender=f"{local.upper()}@{domain}",  # 2A and 2B, as an INS is written
        sender_name=box.name,
        recipients=tuple(to[:1]),
        copies=tuple(to[1:]),
        subject=letter.subject,
        text=said_by + letter.text,
        message_id=message_id,
        attachments=letter.attachments,
        headers=tuple(headers),
    )
