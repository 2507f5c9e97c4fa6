"""Takes what waits to the DMP: until it is there, refused for good, or time is over.

A row is held while it is carried out. A process that dies lets go, and whoever takes it next asks the
same again: the DMP knows the lot by its uniqueIds and bytes, and a deletion by what it has deleted.
"""

import asyncio
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.annuaire import repository as annuaire
from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.entries import id_of
from services.mss.hl7v2 import answers, repository
from services.mss.hl7v2.answers import Accepted, DmpError, Parties
from services.mss.hl7v2.dmp import queue
from services.mss.hl7v2.dmp.deposit import Deposit, set_id
from services.mss.hl7v2.dmp.door import DmpDoor
from services.mss.hl7v2.dmp.queue import Outcome, Waiting
from services.mss.hl7v2.dmp.soap import DmpAway, DmpRefused
from services.mss.hl7v2.dmp.vihf import AUTOMATE, Role, Standing
from services.mss.settings import MssSettings
from socle.clock import wall
from socle.db.database import WriteSession
from socle.failpoints import failpoint
from socle.idgen import uuid7
from socle.ids import oids
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.spaces import Space
from socle.xdm import SourceDocument

MAX_DELAY: Final = timedelta(minutes=15)
AWAY: Final = "XDSRegistryNotAvailable"
"""Told of a DMP that gave no answer in all the time that was left to it."""
_MAX_TOLD: Final = 500
log = get_logger("mss.hl7")


async def hand_over_next(kernel: Kernel, door: DmpDoor) -> bool:
    """The next deposit that is due; False where none is."""
    taken: list[Waiting] = []
    try:
        async with kernel.database.write() as session:
            waiting = await queue.take(session)
            if waiting is None:
                return False
            taken.append(waiting)
            await _hand_over(kernel, session, door, waiting)
    except (SQLAlchemyError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 (one deposit must not hold up all others)
        log.critical("hl7_deposit_failed", error=type(error).__name__)
        async with kernel.database.write() as session:
            for one in taken:
                await queue.postpone(session, one.id, wall() + MAX_DELAY, "internal error")
    return True


async def _hand_over(
    kernel: Kernel, session: WriteSession, door: DmpDoor, waiting: Waiting
) -> None:
    settings = kernel.settings
    assert isinstance(settings, MssSettings)
    space = await kernel.spaces.get(waiting.sender.space)
    documents = await asyncio.to_thread(waiting.deposit.read)
    standing = await standing_of(session, space, waiting.deposit, documents[0])
    sender = waiting.sender
    lot = set_id(sender.space, sender.application, sender.facility, waiting.control_id)
    try:
        await door.carry_out(space, waiting.deposit, documents, lot, standing)
    except DmpRefused as refused:
        await _settle(session, space, waiting, "refused", DmpError(refused.code, refused.text))
    except DmpAway as away:
        log.info("hl7_dmp_away", reason=str(away))
        if wall() - waiting.queued_at > timedelta(seconds=settings.mss_queue_lifetime_seconds):
            error = DmpError(AWAY, f"No answer in {settings.mss_queue_lifetime_seconds:.0f} s.")
            await _settle(session, space, waiting, "expired", error)
        else:
            first = timedelta(seconds=settings.mss_queue_retry_seconds)
            delay = min(first * 2 ** min(waiting.attempts, 20), MAX_DELAY)
            await queue.postpone(session, waiting.id, wall() + delay, str(away)[:_MAX_TOLD])
    else:
        failpoint("mss.deposited")
        await _settle(session, space, waiting, "done", None)


async def _settle(
    session: WriteSession, space: Space, waiting: Waiting, outcome: Outcome, error: DmpError | None
) -> None:
    """With its ZAM^Z01, where one is wanted, in one transaction."""
    code, told = (error.code, error.text) if error else ("", "")
    await queue.settle(session, waiting.id, outcome, code, _kept(told))
    if not waiting.wants_reception:
        return
    identifier, at = uuid7(), space.now()
    accepted = Accepted(Parties(**waiting.parties), waiting.control_id)
    content = answers.reception_by_dmp(accepted, error, str(identifier), at)
    await repository.insert_acknowledgement(
        session, waiting.sender, waiting.control_id, identifier, content, at
    )


async def standing_of(
    session: AsyncSession, space: Space, deposit: Deposit, document: SourceDocument
) -> Standing:
    """The roles are the directory's word on whoever asks (guide, mapping); the sector is that of the
    document's facility, which the platform would have among its parameters."""
    facility = document.metadata.facility_type
    sector = facility.code if facility and facility.system == oids.FACILITY_TYPE else ""
    person = deposit.requester.person
    if not person:
        return Standing(sector=sector)
    found = await annuaire.find(session, space.name, "Practitioner", id_of("Practitioner", person))
    codings = [
        coding
        for held in (found.body.get("qualification", ()) if found else ())
        for coding in held["code"]["coding"]
    ]
    roles = [
        Role(code, oid)
        for system, oid in (
            (systems.PROFESSION, oids.PROFESSION),
            (systems.SPECIALTY, oids.SPECIALTY),
        )
        for code in [it["code"] for it in codings if it["system"] == system][:1]
    ]
    return Standing(roles or (AUTOMATE,), sector)


def _kept(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:_MAX_TOLD]
