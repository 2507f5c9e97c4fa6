"""Use cases: log in with a PSC token, submit a message, open and read mailboxes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import events, repository
from services.mss.domain.headers import read_facts, split_header
from services.mss.domain.mailboxes import ADDRESS, KINDS, Mailbox
from services.mss.domain.sasl import BearerLogin
from socle.auth.subject import Subject
from socle.db.database import WriteSession
from socle.errors import Category, DomainError, unauthenticated
from socle.events.outbox import publish
from socle.failpoints import failpoint
from socle.kernel import Kernel
from socle.problems import Problem
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in to SMTP or IMAP, and into which mailbox."""

    subject: Subject
    space: str
    mailbox: Mailbox
    mailboxes: tuple[str, ...] = field(repr=False)


async def log_in(kernel: Kernel, login: BearerLogin) -> Session:
    """The token names the professional and the space; the user name, one of their mailboxes."""
    subject = await kernel.verifier.verify(login.token)
    space = await kernel.spaces.get(subject.space)
    async with kernel.database.read() as session:
        owned = await repository.list_mailboxes(session, space.name, subject.national_id)
    wanted = [box for box in owned if box.address == login.user or not login.user]
    if not wanted:
        raise unauthenticated(
            "mailbox_not_owned", "The professional of this token has no such mailbox here."
        )
    return Session(subject, space.name, wanted[0], tuple(box.address for box in owned))


async def submit(
    kernel: Kernel, space_name: str, sender: str, recipients: Sequence[str], content: bytes
) -> UUID:
    """Stores and delivers in one transaction; whoever returns from here may say 250.

    SMTP has no idempotence key: a client that lost the 250 sends again. The same bytes with the
    same Message-ID from the same sender are therefore one message, delivered once to each
    recipient, and accepted again. Without a Message-ID each submission is its own message.
    """
    space = await kernel.spaces.get(space_name)
    async with kernel.database.write() as session:
        message = await _store(session, space, sender, recipients, content)
    failpoint("mss.stored")
    return message


async def _store(
    session: WriteSession, space: Space, sender: str, recipients: Sequence[str], content: bytes
) -> UUID:
    sha256, now = hashlib.sha256(content).digest(), space.now()
    header = content[: split_header(content)]
    facts = read_facts(header)
    kinds = await repository.get_kinds(session, space.name, [sender, *recipients])
    unknown = [address for address in (sender, *recipients) if address not in kinds]
    if unknown:
        raise DomainError(Category.NOT_FOUND, "mailbox_unknown", "A mailbox exists no more.")
    await repository.insert_body(session, space.name, sha256, content)
    message, new = await repository.insert_message(
        session,
        space.name,
        sha256=sha256,
        size=len(content),
        header=header,
        sender=sender,
        message_id=facts.message_id,
        accepted_at=now,
    )
    delivered = await repository.insert_recipients(session, space.name, message, recipients)
    for address in delivered:
        await repository.deliver(session, space.name, address, message, now)
    facts_told = [
        events.message_delivered(space.name, message, now, kinds[address]) for address in delivered
    ]
    if new:
        accepted = events.message_accepted(
            space.name,
            message,
            now,
            sender_kind=kinds[sender],
            recipient_kinds=Counter(kinds[address] for address in delivered),
            size=len(content),
            facts=facts,
        )
        facts_told.insert(0, accepted)
    await publish(session, "mss", facts_told)
    return message


async def create_mailbox(
    session: WriteSession, space: Space, mailbox: Mailbox, owners: Sequence[str]
) -> None:
    problems = []
    if not ADDRESS.fullmatch(mailbox.address):
        problems.append(
            Problem(
                "MSS-ADDRESS",
                "/address",
                "not an address of the trust space",
                "name@….mssante.fr, in lower case",
                source="Ansforge API MSS, pattern of the OpenAPI document",
            )
        )
    if mailbox.kind not in KINDS:
        problems.append(Problem("MSS-KIND", "/kind", "unknown type of mailbox", ", ".join(KINDS)))
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "mailbox_invalid",
            "The mailbox cannot be created.",
            problems=problems,
        )
    if not await repository.insert_mailbox(session, space.name, mailbox, owners):
        raise DomainError(
            Category.CONFLICT, "mailbox_exists", "This space has a mailbox with this address."
        )


async def own_mailbox(session: AsyncSession, space: str, subject: Subject, address: str) -> Mailbox:
    """Another's mailbox and an unknown one are answered alike: an address is not to be guessed."""
    for mailbox in await repository.list_mailboxes(session, space, subject.national_id):
        if mailbox.address == address:
            return mailbox
    raise DomainError(
        Category.NOT_FOUND, "mailbox_unknown", "You have no mailbox with this address here."
    )
