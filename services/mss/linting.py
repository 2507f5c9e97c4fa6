"""The rules on messages as they come in: told, enforced or left alone, as each space wishes.

Where they are only told, a report is made after the acceptance, by the worker `lint` or by whoever asks
for it first; the message waits in `mss.report` from the transaction that accepts it. Making one again
gives the same: all that it rests on is stored. Mails are read in threads of their own, two at a time,
so that large ones neither stop the event loop nor fill the memory.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Literal, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.exc import SQLAlchemyError

from services.mss import report_repository as reports
from services.mss import repository
from services.mss.domain.envelope import Envelope
from services.mss.domain.headers import parse_header, split_header
from services.mss.domain.lint import Report, lint
from services.mss.domain.lint.headers import authors, origin
from services.mss.domain.lint.mail import Passage
from services.mss.domain.lint.reading import read_mail
from services.mss.domain.lint.report import VERSION, unreadable
from services.mss.settings import MssSettings
from socle.clock import monotonic
from socle.db.database import Database, WriteSession
from socle.errors import Category, DomainError
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.problems import Problem
from socle.spaces import LEASE_SECONDS, Space

Mode = Literal["off", "warn", "enforce"]
IDLE_SECONDS: Final = 0.5
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="mss-lint")
log = get_logger("mss.lint")
_known: "WeakKeyDictionary[Database, dict[str, tuple[float, Policy]]]" = WeakKeyDictionary()
_asking: "WeakKeyDictionary[Database, defaultdict[str, asyncio.Lock]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Policy:
    """Of a space: `mode` of the rules as a whole, `from_` of the sender that a mail shows."""

    mode: Mode
    from_: Mode


async def policy_of(kernel: Kernel, space: str) -> Policy:
    """Remembered for the lease that spaces have, so that no message pays for a look-up."""
    leases = _known.setdefault(kernel.database, {})
    known = leases.get(space)
    if known is not None and monotonic() - known[0] < LEASE_SECONDS:
        return known[1]
    async with _asking.setdefault(kernel.database, defaultdict(asyncio.Lock))[space]:
        known = leases.get(space)
        asked = monotonic()
        if known is not None and asked - known[0] < LEASE_SECONDS:
            return known[1]  # asked while this one waited
        assert isinstance(kernel.settings, MssSettings)
        async with kernel.database.read() as session:
            mode, from_ = await reports.read_modes(session, space)
        policy = Policy(
            cast(Mode, mode or kernel.settings.mss_lint),
            cast(Mode, from_ or kernel.settings.mss_from),
        )
        leases[space] = (asked, policy)
        return policy


@dataclass(frozen=True, slots=True)
class Standing:
    """How a space stands to the rules, and the report where it had to be made before the acceptance."""

    mode: Mode
    report: Report | None = None
    warned: str = ""
    """The rule that the end of DATA warns of."""


async def check_before(
    kernel: Kernel,
    space: Space,
    mailbox: str,
    envelope: Envelope,
    content: bytes,
    passage: Passage,
) -> Standing:
    """Before the transaction that accepts. DomainError where the space enforces the rules and the mail
    breaks one.

    550 5.7.1 with the rule's id at the end of DATA: which text an operator gives is not known.
    """
    policy = await policy_of(kernel, space.name)
    warned = ""
    if policy.from_ != "off":
        warned = _check_from(policy.from_, content, mailbox)
    if policy.mode != "enforce":
        return Standing(policy.mode, warned=warned)
    async with kernel.database.read() as session:
        boxes = await repository.get_mailboxes(session, space.name, [mailbox])
    kind = boxes[mailbox].kind if mailbox in boxes else ""
    recipients = [one.address for one in envelope.recipients]
    report = await examine(content, mailbox, recipients, seen(passage, kind, envelope))
    broken = report.first_error
    if broken is not None:
        raise DomainError(
            Category.FORBIDDEN,
            "mail_not_conformant",
            f"{broken.rule.id} {broken.rule.eco or broken.rule.segur}: {broken.rule.title}",
            problems=problems_of(report),
        )
    return Standing(policy.mode, report, warned)


def _check_from(mode: Mode, content: bytes, mailbox: str) -> str:
    """The id of the rule, where From is another mailbox than the one that sends."""
    header = parse_header(content[: split_header(content)])
    senders = authors([str(one) for one in header.get_all("From", [])])
    if senders == [mailbox]:
        return ""
    if mode == "enforce":
        raise DomainError(
            Category.FORBIDDEN,
            "from_differs",
            f"{origin.id}: From is not the mailbox that sends",
            problems=[Problem(origin.id, "header:From", "it is not the mailbox that sends",
                              "the sender's address, alone", source=origin.source)],
        )  # fmt: skip
    log.warning("from_differs")
    return origin.id


def seen(passage: Passage, kind: str, envelope: Envelope) -> Passage:
    """With what the envelope and the mailbox of the sender say."""
    asks = any(one.notify and "NEVER" not in one.notify for one in envelope.recipients)
    return replace(passage, sender_kind=kind, asks_delivery_report=asks)


async def note(
    session: WriteSession, space: Space, message: UUID, passage: Passage, standing: Standing
) -> None:
    """In the transaction that accepts a new message."""
    if standing.mode == "off":
        return
    await reports.request(session, space.name, message, passage.as_json(), space.now())
    if standing.report is not None:
        await reports.finish(session, space.name, message, standing.report)


async def examine(
    content: bytes, sender: str, recipients: Sequence[str], passage: Passage
) -> Report:
    def work() -> Report:
        try:
            mail = read_mail(content, sender=sender, recipients=recipients, passage=passage)
        except Exception as error:  # noqa: BLE001 — it would be read again and again
            log.warning("mail_not_read", error=type(error).__name__)
            return unreadable()
        return lint(mail)

    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


async def report_of(kernel: Kernel, space: str, message: UUID) -> reports.StoredReport:
    """Made now, where it is not there yet, or was made by older rules."""
    async with kernel.database.read() as session:
        stored = await reports.get_report(session, space, message)
    if stored is None:
        raise DomainError(
            Category.NOT_FOUND,
            "report_unknown",
            "No message of this space has this id and a report; spaces whose policy is off make none.",
        )
    if stored.verdicts is None or stored.rules_version != VERSION:
        async with kernel.database.write() as session:
            await _make(session, space, message)
        async with kernel.database.read() as session:
            made = await reports.get_report(session, space, message)
        assert made is not None
        return made
    return stored


async def lint_next(kernel: Kernel) -> bool:
    """False where nothing waits."""
    async with kernel.database.write() as session:
        taken = await reports.take(session)
        if taken is None:
            return False
        await _make(session, *taken)
    return True


async def run(kernel: Kernel) -> None:
    """The worker, until cancelled. What waits is taken up again after a crash."""
    while True:
        try:
            worked = await lint_next(kernel)
        except (SQLAlchemyError, OSError) as error:
            log.warning("lint_waits", error=type(error).__name__)
            worked = False
        if not worked:
            await asyncio.sleep(IDLE_SECONDS)


async def _make(session: WriteSession, space: str, message: UUID) -> None:
    stored = await reports.get_report(session, space, message)
    assert stored is not None
    found = await reports.get_examined(session, space, message)
    if found is None:  # what older rules said of a text that is gone stays
        return
    passage = Passage.of_json(stored.passage)
    report = await examine(found.content, found.sender, found.recipients, passage)
    await reports.finish(session, space, message, report)


def problems_of(report: Report) -> list[Problem]:
    return [
        Problem(it.rule.id, one.path, one.found, one.expected, one.severity, it.rule.source)
        for it in report.verdicts
        for one in it.findings
    ]
