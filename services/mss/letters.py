"""Use case: a conformant mail from CDA documents, to look at or to send."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from services.mss import repository, service
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.letter import Letter, write_letter
from services.mss.domain.mailboxes import normalised
from services.mss.intake import Intake, Submitter
from services.mss.sending import Attempt, attempt
from socle.auth.subject import Subject
from socle.cda.xml import MalformedCdaError
from socle.errors import Category, DomainError
from socle.idgen import uuid7
from socle.kernel import Kernel
from socle.problems import Problem
from socle.spaces import Space
from socle.xdm import SourceDocument
from socle.xdm.layout import Action
from socle.xds.document_entry import Coded

SOURCE_ID: Final = "1.2.250.1.999.1.1.8084"
"""sourceId of the submission sets that Socle writes: under the arc of its own examples."""


@dataclass(frozen=True, slots=True)
class Given:
    """A document as it was given; its place in the request names it in problems."""

    content: bytes = field(repr=False)
    action: Action = ""
    confidentiality: tuple[Coded, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    content: bytes = field(repr=False)
    attempt: Attempt | None
    again: UUID | None = None
    """The message that this Message-ID already has: it was not sent twice."""


def read_documents(given: Sequence[Given]) -> tuple[SourceDocument, ...]:
    """Every problem of every document at once."""
    read: list[SourceDocument] = []
    problems: list[Problem] = []
    for number, one in enumerate(given):
        try:
            read.append(SourceDocument.of(one.content, one.action, one.confidentiality))
        except MalformedCdaError as error:
            problems += (
                replace(
                    it,
                    path=f"/documents/{number}{it.path if it.path.startswith('/') else f'/{it.path}'}",
                )
                for it in error.problems
            )
    if len({it.patient for it in read}) > 1:
        problems.append(
            Problem("MSS-ONE-PATIENT", "/documents", "the documents are about several patients",
                    "one user a mail (ECO.2.1.1)", source="Référentiel #2 as quoted")
        )  # fmt: skip
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE,
            "documents_invalid",
            "The documents cannot be described.",
            problems=problems,
        )
    return tuple(read)


async def write(space: Space, letter: Letter) -> bytes:
    """In a thread: a large document takes a second."""
    try:
        return await asyncio.to_thread(
            write_letter, letter, set_id=uuid7(), source_id=SOURCE_ID, at=space.now()
        )
    except MalformedCdaError as error:  # it is nested too deeply to be shown, and so to be copied
        raise DomainError(
            Category.UNPROCESSABLE,
            "documents_invalid",
            "A document cannot be copied as PDF.",
            problems=error.problems,
        ) from None


async def post(
    intake: Intake,
    submitter: Submitter,
    space: Space,
    letter: Letter,
    reported: Mapping[str, frozenset[str]] | None = None,
) -> Sent:
    """Sends, unless a message of this sender has the letter's Message-ID already: a client that lost
    the answer sends again without harm. `reported` is NOTIFY (RFC 3461) of recipients."""
    async with intake.kernel.database.read() as session:
        again = await repository.find_submitted(
            session, space.name, letter.message_id, [letter.sender]
        )
    if again is not None:
        return Sent(b"", None, again[0])
    content = await write(space, letter)
    recipients = dict.fromkeys(normalised(address) for address in letter.recipients)
    notify = reported or {}
    envelope = Envelope(
        submitter.mailbox, tuple(Recipient(one, notify.get(one)) for one in recipients)
    )
    return Sent(content, await attempt(intake, submitter, envelope, content))


async def sender_of(kernel: Kernel, space: Space, caller: Subject, address: str) -> tuple[str, str]:
    """The address and the label of one of the caller's mailboxes."""
    async with kernel.database.read() as session:
        box = await service.own_mailbox(session, space.name, caller, normalised(address))
    return box.address, box.label
