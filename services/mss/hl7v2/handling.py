"""A message comes in by MLLP: it is read, its mails are sent, and only then it is acknowledged.

Whoever lost the acknowledgement sends again without harm: the mails have identifiers that follow from
the message's own, and are sent once; a message that was accepted is acknowledged again.
"""

import asyncio
import hashlib
from datetime import datetime
from typing import Final
from weakref import WeakValueDictionary

from sqlalchemy.exc import SQLAlchemyError

from services.mss import repository as mailboxes
from services.mss.domain.mailboxes import Mailbox
from services.mss.hl7v2 import acknowledgements, answers, mails, repository
from services.mss.hl7v2.answers import Accepted, Code, Parties
from services.mss.hl7v2.dmp import queue
from services.mss.hl7v2.dmp.deposit import deposit_of
from services.mss.hl7v2.er7 import Message, UnreadableMessageError, parse, read_head
from services.mss.hl7v2.order import Fault, Order
from services.mss.hl7v2.reading import read_order
from services.mss.hl7v2.repository import Sender
from services.mss.intake import Intake
from services.mss.seed import KIT
from services.mss.trust.seed import DOMAIN
from socle.clock import SpaceClock, wall
from socle.errors import DomainError
from socle.failpoints import failpoint
from socle.idgen import uuid7
from socle.logs import get_logger
from socle.spaces import Space

DEFAULT_MAILBOX: Final = Mailbox(f"pfi@{DOMAIN}", "APP", "Plateforme d'intermédiation")
log = get_logger("mss.hl7")


class Orders:
    """Carries them out by the way in that every message has."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._kernel = intake.kernel
        self._settings = intake.settings
        self._turns: WeakValueDictionary[tuple[Sender, str], asyncio.Lock] = WeakValueDictionary()

    async def handle(self, raw: bytes) -> bytes:
        """The acknowledgement of any octets; never raises."""
        now = (await self._default_space()).now()
        try:
            message = await asyncio.to_thread(parse, raw)
        except UnreadableMessageError as error:
            return _refused(raw, "AE", Fault(error.code, error.location, str(error)), now)
        except Exception as error:  # noqa: BLE001 — as below
            log.warning("hl7_unreadable", error=type(error).__name__)
            fault = Fault(199, "MSH^1", "Socle failed to read this message.")
            return _refused(raw, "AE", fault, now)
        try:
            return await self._handle(message, raw)
        except DomainError as error:
            code: Code = "AR" if error.retriable else "AE"
            faults = [
                Fault(207, "", error.detail),
                *(Fault(207, "", f"{it.rule} {it.path}: {it.message}") for it in error.problems),
            ]
            return answers.acknowledge(message, code, faults[:50], str(uuid7()), now)
        except (SQLAlchemyError, OSError) as error:
            # Only the type: the text of a database error quotes the statement.
            log.warning("hl7_not_stored", error=type(error).__name__)
            fault = Fault(207, "", "Nothing is promised: send the message again later.")
            return answers.acknowledge(message, "AR", [fault], str(uuid7()), now)
        except Exception as error:  # noqa: BLE001 — whoever sends must be told, and not by a closed door
            log.warning("hl7_failed", error=type(error).__name__)
            fault = Fault(207, "", "Socle failed to carry this message out.")
            return answers.acknowledge(message, "AE", [fault], str(uuid7()), now)

    def refuse(self, raw: bytes, code: Code, text: str) -> bytes:
        """The answer to what is no framed message. Its clock is the system's: no space is known yet."""
        return _refused(raw, code, Fault(100 if code == "AE" else 207, "MSH^1", text), wall())

    async def _default_space(self) -> Space:
        try:
            return await self._kernel.spaces.get(self._settings.default_space)
        except (SQLAlchemyError, OSError, DomainError):
            return Space(self._settings.default_space, SpaceClock())

    async def _handle(self, message: Message, raw: bytes) -> bytes:
        order = await asyncio.to_thread(
            read_order,
            message,
            enforce_combinations=self._settings.mss_hl7_combinations == "enforce",
            enforce_profile=self._settings.mss_hl7_profile == "enforce",
        )
        if order.faults:
            now = (await self._default_space()).now()
            return answers.acknowledge(message, "AE", order.faults, str(uuid7()), now)
        sender = await self._sender(order.application, order.facility)
        space = await self._kernel.spaces.get(sender.space)
        digest = hashlib.sha256(raw).digest()
        accepted = Accepted(Parties.of(message), order.control_id)
        # A message that comes twice at once is carried out once: two mails would not be the same.
        turn = self._turns.setdefault((sender, order.control_id), asyncio.Lock())
        async with turn:
            known = await self._known(sender, order.control_id)
            if known is None:
                await self._carry_out(sender, space, accepted, order, digest)
                known = await self._known(sender, order.control_id)
        if known != digest:
            order.fault(207, "MSH^1^10", "Another message was accepted under this identifier.")
        code: Code = "AE" if order.faults else "AA"
        return answers.acknowledge(message, code, order.faults, str(uuid7()), space.now())

    async def _known(self, sender: Sender, control_id: str) -> bytes | None:
        async with self._kernel.database.read() as session:
            return await repository.get_digest(session, sender, control_id)

    async def _sender(self, application: str, facility: str) -> Sender:
        """Whom nobody registered works in the default space, by the mailbox of the PFI there."""
        async with self._kernel.database.read() as session:
            known = await repository.get_sender(session, application, facility)
        if known is not None:
            return known
        space = await self._kernel.spaces.get(self._settings.default_space)
        made = Sender(application, facility, space.name, DEFAULT_MAILBOX.address)
        async with self._kernel.database.write() as session:
            await mailboxes.insert_mailbox(session, space.name, DEFAULT_MAILBOX, [KIT])
            await repository.put_sender(session, made, replace=False)
        return made

    async def _carry_out(
        self, sender: Sender, space: Space, accepted: Accepted, order: Order, digest: bytes
    ) -> None:
        """The mails leave, and then all that follows from them and from the message is written at once:
        a process that dies in between is asked again, and finds the mails sent."""
        wanted = mails.announced(sender, order, digest)
        async with self._kernel.database.write() as session:
            await repository.begin_message(
                session, sender, accepted, wanted, sha256=digest, flags=order.flags, at=space.now()
            )
        sent = [await mails.send(self._intake, sender, space, order, mail) for mail in wanted]
        failpoint("mss.hl7_mailed")
        deposit = deposit_of(order)
        async with self._kernel.database.write() as session:
            if not await repository.finish_message(session, sender, order.control_id, digest):
                return
            for mail in sent:
                await repository.set_message(session, space.name, mail.message_id, mail.message)
            if order.flags["ACK_RECEPTION"]:
                for mail, addressee, code in mails.told(sent):
                    await acknowledgements.tell_reception(
                        session, sender, space, accepted, mail.message_id, addressee, code
                    )
            if deposit is not None:
                patient = self._kernel.pseudonym(
                    space.name, deposit.patient.oid, deposit.patient.matricule
                )
                await queue.enqueue(session, sender, order.control_id, patient, deposit)
        failpoint("mss.hl7_accepted")


def _refused(raw: bytes, code: Code, fault: Fault, at: datetime) -> bytes:
    """To whoever sent it, of what they sent, as far as MSH can be read: a sender waits for its MSH-10."""
    head = read_head(raw)
    if head is None:
        return answers.unreadable(fault, str(uuid7()), at)
    return answers.acknowledge(head, code, [fault], str(uuid7()), at)
