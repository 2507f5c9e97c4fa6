"""Takes the queue to the other operators: until they accept, refuse for good, or time is over.

Any process may run one: a row that one is busy with, the others step over. A crash between the peer's
250 and our commit hands the message over again; the receiver knows it by sender, Message-ID and bytes
(a message without Message-ID is given one here), so it arrives once.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from services.mss import refusals
from services.mss.domain.envelope import Envelope
from services.mss.domain.headers import read_facts, split_header
from services.mss.domain.trust import domain_of
from services.mss.outgoing import Outgoing
from services.mss.settings import MssSettings
from services.mss.tls import client_context
from services.mss.transport import queue
from services.mss.transport.peer import Judge, Peer, Refused, Reply
from services.mss.transport.queue import CHANNEL, Queued
from services.mss.transport.receivers import LOOPBACK, Receivers
from services.mss.transport.reports import failure, send_reports
from services.mss.trust import service as trust
from services.mss.trust.authority import Authority
from socle.clock import wall
from socle.db.database import WriteSession
from socle.errors import DomainError
from socle.failpoints import failpoint
from socle.kernel import Kernel
from socle.logs import get_logger

IDLE_SECONDS = 5.0
MAX_DELAY = timedelta(minutes=15)
KEPT_CONTEXTS = 64
UNREACHABLE = Reply(451, "4.4.1 the peer could not be reached, or ended the conversation")
log = get_logger("mss.courier")


@dataclass
class Courier:
    kernel: Kernel
    settings: MssSettings
    authority: Authority
    peer: Peer
    receivers: Receivers
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _contexts: "OrderedDict[tuple[UUID, bool], ssl.SSLContext]" = field(default_factory=OrderedDict)

    async def run(self) -> None:
        """Until cancelled. Outlives a lost database."""
        while True:
            try:
                await self._run_on_one_connection()
            except Exception as error:  # noqa: BLE001 (of several couriers at once, hence a group)
                log.warning("courier_waits", error=_kinds(error))
            await asyncio.sleep(1)

    async def _run_on_one_connection(self) -> None:
        connection = await self.kernel.database.connect()
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._news.set())
            while True:
                self._news.clear()
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(self.settings.mss_couriers):
                        tasks.create_task(self._deliver_what_is_due())
                await self._rest()
                await connection.execute("SELECT 1")  # notices a connection that has gone silently
        finally:
            connection.terminate()

    async def _rest(self) -> None:
        """Until something is queued, the next attempt is due, or it is time to look again."""
        async with self.kernel.database.read() as session:
            due = await queue.next_due(session)
        seconds = IDLE_SECONDS
        if due is not None:
            seconds = min(max((due - wall()).total_seconds(), 0.05), IDLE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def _deliver_what_is_due(self) -> None:
        while await self._deliver_one():
            pass

    async def _deliver_one(self) -> bool:
        taken: list[Queued] = []
        try:
            async with self.kernel.database.write() as session:
                taken += await queue.take(session, wall())
                if not taken:
                    return False
                content = await queue.get_message(session, taken[0].space, taken[0].message)
                answers = await self._hand_over(taken, content)
                failpoint("mss.handed_over")
                await self._settle(session, taken, answers, content)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 (one message must not hold up all others)
            log.critical("courier_failed", error=type(error).__name__)
            await self._set_aside(taken)
        return True

    async def _set_aside(self, taken: Sequence[Queued]) -> None:
        """What a bug of ours has hit waits as long as anything does."""
        async with self.kernel.database.write() as session:
            for one in taken:
                await queue.postpone(
                    session, one.id, wall() + MAX_DELAY, "451 4.3.0 internal error"
                )

    async def _hand_over(self, taken: Sequence[Queued], content: bytes) -> dict[str, Reply]:
        """The word on each recipient. Where the receiver is looked at, each domain has a conversation
        of its own: one certificate is not every operator's."""
        mode = await self.receivers.mode(taken[0].space)
        if mode == "off":
            return await self._converse(taken, content, self.peer, None)
        answers: dict[str, Reply] = {}
        by_domain: dict[str, list[Queued]] = {}
        for one in taken:
            by_domain.setdefault(domain_of(one.recipient.address), []).append(one)
        for domain, group in by_domain.items():
            name = await self.receivers.name_of(taken[0].space, domain)
            judge = partial(self.receivers.judge, taken[0].space, domain, mode=mode)
            peer = replace(self.peer, host=LOOPBACK, port=self.receivers.port, hostname=name)
            answers |= await self._converse(group, content, peer, judge)
        return answers

    async def _converse(
        self, taken: Sequence[Queued], content: bytes, peer: Peer, judge: Judge | None
    ) -> dict[str, Reply]:
        first = taken[0]
        envelope = Envelope(
            first.sender,
            tuple(one.recipient for one in taken),
            first.returned,
            first.envelope_id,
        )
        try:
            context = await self._context(first, judges=judge is not None)
            return await peer.send(context, envelope, _identified(first, content), judge)
        except Refused as refused:
            answer = refused.reply
        except DomainError as error:
            answer = Reply(550, f"5.7.1 {error.code}")
        except (OSError, ssl.SSLError, TimeoutError) as error:
            log.info("peer_unreachable", error=type(error).__name__)
            answer = UNREACHABLE
        return {one.recipient.address: answer for one in taken}

    async def _context(self, one: Queued, *, judges: bool) -> ssl.SSLContext:
        """TLS with the certificate that the sending operator presents."""
        space = await self.kernel.spaces.get(one.space)
        # Committed by itself: the peer knows the space by the certificate.
        async with self.kernel.database.write() as session:
            stored = await trust.presented_by(session, space, self.authority, one.operator)
        context = self._contexts.get((stored.id, judges))
        if context is None:
            context = await asyncio.to_thread(
                client_context, self.authority.ca, stored, judges_receiver=judges
            )
            self._contexts[stored.id, judges] = context
            if len(self._contexts) > KEPT_CONTEXTS:
                self._contexts.popitem(last=False)
        return context

    async def _settle(
        self,
        session: WriteSession,
        taken: Sequence[Queued],
        answers: dict[str, Reply],
        content: bytes,
    ) -> None:
        now = wall()
        gone, failed = [], []
        for one in taken:
            answer = answers[one.recipient.address]
            if answer.is_positive:
                gone.append(one.id)
            elif answer.is_permanent or now - one.queued_at > self._patience:
                gone.append(one.id)
                failed.append(one)
            else:
                delay = min(self._first_delay * 2 ** min(one.attempts, 20), MAX_DELAY)
                await queue.postpone(session, one.id, now + delay, str(answer)[:500])
        await queue.remove(session, gone)
        for one in failed:
            answer = answers[one.recipient.address]
            log.info("delivery_failed", code=answer.code)
            await self._report(session, one, answer, content)
            if not (answer.told and answer.is_permanent):
                await self._tell(session, one, answer, content)

    async def _report(
        self, session: WriteSession, one: Queued, answer: Reply, content: bytes
    ) -> None:
        """The sender is told; a report that does not arrive is told to nobody (RFC 3461 §6.2)."""
        if not one.sender or not one.recipient.wants_failure:
            return
        space = await self.kernel.spaces.get(one.space)
        envelope = Envelope(one.sender, (one.recipient,), one.returned, one.envelope_id)
        status = answer.text.split(" ")[0] if answer.text[1:2] == "." else "5.0.0"
        if not answer.is_permanent:
            status = "5.4.7"  # delivery time expired
        report = failure(one.recipient, status, str(answer), self.settings.mss_hostname)
        outgoing = Outgoing(session, space.name, space.now())
        # It is ours that sends: whoever wrote is at the same operator.
        await send_reports(
            outgoing, [report], envelope, content, self.settings.mss_hostname, own=True
        )
        await outgoing.file()

    async def _tell(
        self, session: WriteSession, one: Queued, answer: Reply, content: bytes
    ) -> None:
        """That it was given up, where nobody else knows: not of a report, which nobody wrote."""
        if not one.sender:
            return
        await refusals.tell(
            session,
            await self.kernel.spaces.get(one.space),
            sender=one.sender,
            recipients=[one.recipient.address],
            patients={},
            content=content,
            reason="operator_refused" if answer.is_permanent else "operator_unreachable",
            code=answer.code,
            message=one.message,
            told_by="report",
        )

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.settings.mss_queue_lifetime_seconds)

    @property
    def _first_delay(self) -> timedelta:
        return timedelta(seconds=self.settings.mss_queue_retry_seconds)


def _kinds(error: BaseException) -> str:
    """Only the types: the text of a database error quotes the statement."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({_kinds(one) for one in error.exceptions}))
    return type(error).__name__


def _identified(one: Queued, content: bytes) -> bytes:
    """As RFC 6409 §8.3 lets a submission server do: the same identification at each attempt."""
    if read_facts(content[: split_header(content)]).message_id:
        return content
    domain = one.sender.rpartition("@")[2] or "invalid"
    return f"Message-ID: <{one.message}@{domain}>\r\n".encode() + content


@asynccontextmanager
async def courier_of(
    kernel: Kernel, settings: MssSettings, app: FastAPI, port: int, receivers: Receivers
) -> AsyncIterator[None]:
    """Runs while the block does. The peers are this sandbox's own operators, at its own listener."""
    if not settings.mss_couriers:
        yield
        return
    host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::") else settings.host  # noqa: S104
    peer = Peer(host, port, settings.mss_hostname, settings.mss_hostname)
    courier = Courier(kernel, settings, app.state.authority, peer, receivers)
    task = asyncio.create_task(courier.run(), name="mss.courier")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
