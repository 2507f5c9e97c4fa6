"""What happens after the acknowledgement, side by side: reading the reports that come back to the
mailboxes of senders, delivering ZAM, handing documents over to the DMP."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from services.mss.hl7v2 import acknowledgements, mllp, repository
from services.mss.hl7v2.delivery_notices import Notice, read_notice
from services.mss.hl7v2.dmp.courier import hand_over_next
from services.mss.hl7v2.dmp.door import DmpDoor
from services.mss.hl7v2.er7 import UnreadableMessageError
from services.mss.hl7v2.er7 import parse as parse_hl7
from services.mss.hl7v2.mllp import Endpoint
from services.mss.hl7v2.participants import Addressee
from services.mss.hl7v2.receipts import Said, read_receipt
from services.mss.hl7v2.repository import Receipt, Waiting
from services.mss.hl7v2.tls import client_context
from services.mss.settings import MssSettings
from socle.clock import wall
from socle.db.database import WriteSession
from socle.kernel import Kernel
from socle.logs import get_logger

IDLE_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 10.0
_PAUSES: Final = (1, 5, 30, 120, 600)
"""Seconds before the next attempt; after the last, nobody is tried any more."""
log = get_logger("mss.hl7")


async def run(kernel: Kernel) -> None:
    """Until cancelled. Everything that waits is in the database."""
    settings = kernel.settings
    assert isinstance(settings, MssSettings)
    async with DmpDoor(settings) as door, asyncio.TaskGroup() as tasks:
        for work in (
            lambda: note_next(kernel),
            lambda: deliver_next(kernel),
            lambda: hand_over_next(kernel, door),
        ):
            tasks.create_task(_keep_at(work))


async def _keep_at(work: Callable[[], Awaitable[bool]]) -> None:
    while True:
        try:
            worked = await work()
        except (SQLAlchemyError, OSError) as error:
            log.warning("hl7_waits", error=type(error).__name__)
            worked = False
        except Exception as error:  # noqa: BLE001 (a bug in one of them must not stop the others)
            log.critical("hl7_worker_failed", error=type(error).__name__)
            worked = False
        if not worked:
            await asyncio.sleep(IDLE_SECONDS)


async def note_next(kernel: Kernel) -> bool:
    """The next mail in a sender's mailbox: a receipt on a mail of ours makes a ZAM^Z03, a delivery
    report a ZAM^Z02 for each recipient that it tells of."""
    async with kernel.database.write() as session:
        receipt = await repository.take_receipt(session)
        if receipt is None:
            return False
        await repository.mark_seen(session, receipt)
        said = await asyncio.to_thread(read_receipt, receipt.content)
        if said is not None:
            await _note_reading(kernel, session, receipt, said)
            return True
        notice = await asyncio.to_thread(read_notice, receipt.content)
        if notice is not None:
            await _note_delivery(kernel, session, receipt, notice)
    return True


async def _note_reading(
    kernel: Kernel, session: WriteSession, receipt: Receipt, said: Said
) -> None:
    awaited = await repository.find_awaited(session, receipt.sender, said.message_id)
    if awaited is None or not awaited.wants_reading:
        return
    space = await kernel.spaces.get(receipt.sender.space)
    reader = _named(awaited.addressees, (said.reader,)) or Addressee(said.reader)
    await acknowledgements.tell_reading(
        session, receipt.sender, space, awaited.accepted, reader, said.error
    )


async def _note_delivery(
    kernel: Kernel, session: WriteSession, receipt: Receipt, notice: Notice
) -> None:
    awaited = await repository.find_awaited(session, receipt.sender, notice.message_id)
    if awaited is None or not awaited.wants_reception:
        return
    space = await kernel.spaces.get(receipt.sender.space)
    for told in notice.recipients:
        addressee = _named(awaited.addressees, told.addresses)
        if addressee is not None:
            await acknowledgements.tell_reception(
                session, receipt.sender, space, awaited.accepted, notice.message_id, addressee,
                told.code,
            )  # fmt: skip


def _named(addressees: tuple[Addressee, ...], names: tuple[str, ...]) -> Addressee | None:
    return next((it for it in addressees if it.address in names), None)


async def deliver_next(kernel: Kernel) -> bool:
    """One acknowledgement to its sender's listener; it is held meanwhile, so that no other process
    sends it too."""
    async with kernel.database.write() as session:
        waiting = await repository.take_waiting(session)
        if waiting is None:
            return False
        answer = None
        try:
            answer = _code(await _send(kernel, waiting))
        except (
            OSError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ValueError,
            OverflowError,
        ) as error:
            log.info("hl7_acknowledgement_not_delivered", error=type(error).__name__)
        again = None
        if answer != "AA" and waiting.attempts < len(_PAUSES):
            again = wall() + timedelta(seconds=_PAUSES[waiting.attempts])
        await repository.mark_tried(session, waiting.id, answer, again)
    return True


async def _send(kernel: Kernel, waiting: Waiting) -> bytes:
    endpoint = Endpoint.parse(waiting.endpoint)
    tls: ssl.SSLContext | None = None
    if endpoint.tls:
        settings = kernel.settings
        assert isinstance(settings, MssSettings)
        tls = await asyncio.to_thread(client_context, settings)
    return await mllp.send(endpoint, waiting.content, TIMEOUT_SECONDS, tls)


def _code(answer: bytes) -> str | None:
    try:
        msa = parse_hl7(answer).first("MSA")
    except UnreadableMessageError:
        return None
    return msa(1)[:2] if msa else None
