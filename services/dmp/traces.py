"""What is kept and told of readings and refusals, in transactions of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.domain.deposit import Deposit
from services.dmp.domain.visibility import Reader
from services.dmp.events import document_consulted, document_refused
from services.dmp.refused import read_refused
from services.dmp.repository import StoredEntry
from services.dmp.tables import trace
from socle.db.database import WriteSession
from socle.db.failures import is_database_away
from socle.errors import Category
from socle.events.envelope import Event
from socle.events.outbox import publish
from socle.http.context import traceparent
from socle.idgen import uuid7
from socle.ids.professionals import parse_idnat
from socle.ids.structures import parse_struct_idnat
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.problems import Problem
from socle.spaces import Space

PATIENT: Final = "PATIENT"
CONSULTED, AUTHORIZED, WITHDRAWN = "consulted", "authorized", "authorization_withdrawn"
REFUSALS: Final = (Category.INCORRECT, Category.UNPROCESSABLE, Category.CONFLICT)
"""Of a submission for what it is, and not for the state of the server."""
log = get_logger("dmp.traces")


@dataclass(frozen=True, slots=True)
class Trace:
    id: UUID
    at: datetime
    actor: str = field(repr=False)
    action: str
    purpose: str
    document: UUID | None


async def trace_action(
    session: WriteSession,
    space: Space,
    pseudonym: str,
    *,
    actor: str,
    action: str,
    purpose: str = "normal",
    document: UUID | None = None,
) -> None:
    await session.execute(
        insert(trace).values(
            space=space.name,
            id=uuid7(),
            patient=pseudonym,
            at=space.now(),
            actor=actor,
            action=action,
            purpose=purpose,
            document=document,
        )
    )


async def trace_readings(
    kernel: Kernel, space: Space, reader: Reader, read: Sequence[StoredEntry], door: str
) -> None:
    """Before the bytes leave: a reading that cannot be traced is none."""
    if not read:
        return
    async with kernel.database.write() as session:
        for stored in read:
            await trace_action(
                session, space, stored.patient, actor=reader.identifier, action=CONSULTED,
                purpose=reader.purpose, document=stored.logical_id,
            )  # fmt: skip
        await publish(session, "dmp", [_consulted(space, reader, one, door) for one in read])


async def tell_refusal(
    kernel: Kernel,
    space: Space,
    documents: Sequence[tuple[Deposit | None, bytes]],
    problems: Sequence[Problem],
    door: str,
    *,
    sender: str,
    sender_structure: str = "",
) -> None:
    """After a submission was refused for what it is: a body that holds none is not one. `sender` is a
    PS_IdNat and `sender_structure` a Struct_IdNat: whose refusal it is where no author can be read.

    The sender's answer does not wait for a database that is away: the refusal stands, and only its
    event is missing, which the log tells."""
    rules = [one.rule for one in problems if one.severity == "error"]
    if not rules:
        return
    read = read_refused(documents)
    patients = [
        kernel.pseudonym(space.name, one.patient.oid, one.patient.matricule)
        for one in read
        if one.patient is not None
    ]
    structures = (one.structure for one in read if one.structure is not None)
    professionals = (one.professional for one in read if one.professional)
    known = parse_idnat(sender)
    event = document_refused(
        space.name,
        next(iter(patients), None),
        structure=next(structures, parse_struct_idnat(sender_structure)),
        professional=next(professionals, known.idnat if known else None),
        documents=len(documents),
        unique_ids=[one.unique_id for one in read if one.unique_id],
        type_codes=[one.type_code for one in read if one.type_code],
        door=door,
        rules=rules,
        at=space.now(),
        traceparent=traceparent.get(),
    )
    try:
        async with kernel.database.write() as session:
            await publish(session, "dmp", [event])
    except Exception as error:
        if not is_database_away(error):
            raise
        log.warning("refusal_untold", door=door)


async def list_traces(
    session: AsyncSession, space: str, pseudonym: str, *, before: UUID | None, limit: int
) -> list[Trace]:
    """The newest first."""
    statement = select(
        trace.c.id, trace.c.at, trace.c.actor, trace.c.action, trace.c.purpose, trace.c.document
    ).where(trace.c.space == space, trace.c.patient == pseudonym)
    if before is not None:
        statement = statement.where(trace.c.id < before)
    result = await session.execute(statement.order_by(trace.c.id.desc()).limit(limit))
    return [Trace(*row) for row in result]


def _consulted(space: Space, reader: Reader, stored: StoredEntry, door: str) -> Event:
    return document_consulted(
        space.name,
        stored.patient,
        entry_id=stored.id,
        logical_id=stored.logical_id,
        chain_id=stored.chain_id,
        purpose=reader.purpose,
        door=door,
        at=space.now(),
        traceparent=traceparent.get(),
    )
