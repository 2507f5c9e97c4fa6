"""The way in of the plain case: a professional's mailbox to another's at the same operator, new, asking
for no report and answering nothing.

Whatever is not so is left to the general way in (intake.py), which has the same effects for this case
too; a test holds both against one another.
"""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from uuid import UUID

import asyncpg
import orjson

from services.mss import linting, telling
from services.mss.delivery import Outcome
from services.mss.domain.envelope import Envelope
from services.mss.domain.headers import facts_of, parse_header, split_header
from services.mss.domain.lint.mail import Passage
from services.mss.domain.mailboxes import Mailbox
from services.mss.domain.patient_rules import is_patients
from services.mss.domain.read_receipt import is_report
from services.mss.domain.trust import domain_of
from services.mss.hot.statement import MAILBOXES, SUBMIT, PlainMail, arguments
from services.mss.settings import MssSettings
from socle.batches import Batcher
from socle.db.database import Database
from socle.db.failures import telling_away
from socle.failpoints import failpoint
from socle.idgen import uuid7
from socle.spaces import Space

KEPT_MAILBOXES = 10_000
REFUSAL = "Too many mails are being stored; send this one again in a second."


@dataclass(frozen=True, slots=True)
class _Asked:
    space: str
    address: str
    size: int = 0


def is_plain(envelope: Envelope) -> bool:
    """What can be told of the envelope alone."""
    if len(envelope.recipients) != 1:
        return False
    (recipient,) = envelope.recipients
    return (
        bool(envelope.sender)
        and not recipient.wants_success
        and not is_patients(recipient.address)
        and domain_of(recipient.address) == domain_of(envelope.sender)
    )


def answers_nothing(header: "Message[str, str]") -> bool:
    return "In-Reply-To" not in header and not is_report(header)


class PlainWay:
    """One in a process. What arrives while the database works shares its next statement, mails as well
    as questions after mailboxes.

    Of a database that goes away meanwhile nothing is known: the client is told to send again.
    """

    def __init__(self, database: Database, settings: MssSettings) -> None:
        self._database = database
        self._mails = Batcher(
            self._commit,
            max_items=settings.mss_batch_size,
            max_bytes=settings.mss_batch_bytes,
            max_flushes=settings.mss_flushes,
            max_queue_bytes=settings.mss_queue_bytes,
            refusal=REFUSAL,
        )
        self._questions = Batcher(
            self._look_up,
            max_items=settings.mss_batch_size,
            max_bytes=0,
            max_flushes=settings.mss_flushes,
            max_queue_bytes=0,
            refusal=REFUSAL,
        )
        self._seen: OrderedDict[tuple[str, str], Mailbox] = OrderedDict()
        """Mailboxes as they were last. May be old: the statement takes nothing that is no longer so."""

    async def close(self) -> None:
        await self._mails.close()
        await self._questions.close()

    async def is_there(self, space: str, address: str) -> bool:
        """Whether this is, now, a mailbox that takes whatever comes."""
        return await self._ask(space, address) is not None

    async def submit(
        self,
        space: Space,
        envelope: Envelope,
        content: bytes,
        professional: str | None,
        passage: Passage | None,
    ) -> tuple[UUID, Outcome] | None:
        """The message, stored and delivered; None where it is not the plain case after all. With a
        `passage` it waits for its report by the rules."""
        raw = content[: split_header(content)]
        header = parse_header(raw)
        if not answers_nothing(header):
            return None
        (recipient,) = envelope.recipients
        taking = await self._box(space.name, recipient.address)
        sending = await self._box(space.name, envelope.sender)
        if taking is None or sending is None:
            return None
        id_, facts, outcome = uuid7(), facts_of(header), Outcome(recipient, taking.kind)
        sender = telling.sender_of(sending, professional)
        mail = PlainMail(
            id=id_,
            space=space.name,
            sender=sending,
            recipient=taking,
            sha256=hashlib.sha256(content).digest(),
            content=content,
            header=raw,
            message_id=facts.message_id,
            at=space.now(),
            passage=_waiting(passage, sending, envelope),
            events=telling.taken_in(space, id_, sender, facts, len(content), [outcome], new=True),
        )
        if await self._mails.join(mail):
            return id_, outcome
        for address in (envelope.sender, recipient.address):
            self._seen.pop((space.name, address), None)
        return None

    async def _commit(self, mails: Sequence[PlainMail]) -> list[bool]:
        try:
            rows = await self._store(mails)
        except asyncpg.ForeignKeyViolationError:
            # Bytes that were there when the statement began have just been purged (purge.py); now it
            # brings them.
            rows = await self._store(mails)
        failpoint("mss.committed")
        stored = {row["id"] for row in rows}
        return [mail.id in stored for mail in mails]

    async def _store(self, mails: Sequence[PlainMail]) -> list[asyncpg.Record]:
        with telling_away():
            return await self._database.fetch(SUBMIT, *arguments(mails))

    async def _box(self, space: str, address: str) -> Mailbox | None:
        return self._seen.get((space, address)) or await self._ask(space, address)

    async def _ask(self, space: str, address: str) -> Mailbox | None:
        found = await self._questions.join(_Asked(space, address))
        if found is None:
            self._seen.pop((space, address), None)
            return None
        self._seen[space, address] = found
        if len(self._seen) > KEPT_MAILBOXES:
            self._seen.popitem(last=False)
        return found

    async def _look_up(self, asked: Sequence[_Asked]) -> list[Mailbox | None]:
        spaces, addresses = [one.space for one in asked], [one.address for one in asked]
        with telling_away():
            rows = await self._database.fetch(MAILBOXES, spaces, addresses)
        found = {(row["space"], row["address"]): _mailbox(row) for row in rows}
        return [found.get((one.space, one.address)) for one in asked]


def _mailbox(row: asyncpg.Record) -> Mailbox:
    return Mailbox(row["address"], row["kind"], row["label"], row["structure"])


def _waiting(passage: Passage | None, sender: Mailbox, envelope: Envelope) -> str | None:
    if passage is None:
        return None
    return orjson.dumps(linting.seen(passage, sender.kind, envelope).as_json()).decode()


@asynccontextmanager
async def plain_way(database: Database, settings: MssSettings) -> AsyncIterator[PlainWay]:
    """Ends once everybody who was accepted has been answered."""
    way = PlainWay(database, settings)
    try:
        yield way
    finally:
        await way.close()
