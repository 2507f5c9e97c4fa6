"""SQL of what waits for the DMP: one row a message, with its documents until they are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.hl7v2.dmp.deposit import Deposit
from services.mss.hl7v2.repository import Sender
from socle.clock import wall
from socle.db.database import WriteSession

Outcome = Literal["done", "refused", "expired"]


@dataclass(frozen=True, slots=True)
class Waiting:
    id: int
    sender: Sender
    control_id: str
    deposit: Deposit
    queued_at: datetime
    attempts: int
    parties: Mapping[str, str] = field(repr=False)
    wants_reception: bool = False


async def enqueue(
    session: WriteSession, sender: Sender, control_id: str, patient: str, deposit: Deposit
) -> None:
    """In the transaction that accepts the message. `patient` is a pseudonym."""
    made = await session.execute(
        text(
            "INSERT INTO mss.hl7_deposit (space, application, facility, control_id, patient, asked,"
            " queued_at, next_at) VALUES (:space, :application, :facility, :control_id, :patient,"
            " CAST(:asked AS jsonb), :now, :now) RETURNING id"
        ),
        {
            "space": sender.space,
            "application": sender.application,
            "facility": sender.facility,
            "control_id": control_id,
            "patient": patient,
            "asked": orjson.dumps(deposit.as_json()).decode(),
            "now": wall(),
        },
    )
    identifier = made.scalar_one()
    await session.execute(
        text("INSERT INTO mss.hl7_deposit_document VALUES (:deposit, :number, :content)"),
        [
            {"deposit": identifier, "number": number, "content": it.content}
            for number, it in enumerate(deposit.documents)
        ],
    )


async def take(session: WriteSession) -> Waiting | None:
    """The longest due one that nobody is busy with, held until the transaction ends. Those of one
    patient go in the order in which they came: a replacement finds what it replaces."""
    found = await session.execute(
        text(
            "SELECT d.id, d.application, d.facility, d.space, s.mailbox, s.endpoint, d.control_id,"
            " d.asked, d.queued_at, d.attempts, h.parties, h.wants_reception"
            " FROM mss.hl7_deposit d JOIN mss.hl7_sender s USING (application, facility)"
            " JOIN mss.hl7_message h ON h.space = d.space AND h.application = d.application"
            "  AND h.facility = d.facility AND h.control_id = d.control_id"
            " WHERE d.next_at <= :now AND NOT EXISTS (SELECT 1 FROM mss.hl7_deposit e"
            "  WHERE e.space = d.space AND e.patient = d.patient AND e.next_at IS NOT NULL"
            "  AND e.id < d.id)"
            " ORDER BY d.next_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED"
        ),
        {"now": wall()},
    )
    row = found.one_or_none()
    if row is None:
        return None
    contents = await session.execute(
        text("SELECT content FROM mss.hl7_deposit_document WHERE deposit = :id ORDER BY number"),
        {"id": row.id},
    )
    return Waiting(
        row.id,
        Sender(row.application, row.facility, row.space, row.mailbox, row.endpoint),
        row.control_id,
        Deposit.of_json(row.asked, [bytes(it.content) for it in contents]),
        row.queued_at,
        row.attempts,
        row.parties,
        row.wants_reception,
    )


async def settle(session: WriteSession, id_: int, outcome: Outcome, code: str, told: str) -> None:
    """Its documents are in the DMP, or will never be."""
    await session.execute(
        text(
            "UPDATE mss.hl7_deposit SET outcome = :outcome, code = :code, told = :told,"
            " attempts = attempts + 1, next_at = NULL WHERE id = :id"
        ),
        {"id": id_, "outcome": outcome, "code": code, "told": told},
    )
    await session.execute(
        text("DELETE FROM mss.hl7_deposit_document WHERE deposit = :id"), {"id": id_}
    )


async def postpone(session: WriteSession, id_: int, next_at: datetime, told: str) -> None:
    await session.execute(
        text(
            "UPDATE mss.hl7_deposit SET next_at = :next_at, told = :told, attempts = attempts + 1"
            " WHERE id = :id AND next_at IS NOT NULL"
        ),
        {"id": id_, "next_at": next_at, "told": told},
    )


async def list_deposits(
    session: AsyncSession, space: str, after: int, limit: int
) -> Sequence[Mapping[str, Any]]:
    rows = await session.execute(
        text(
            "SELECT id, application, facility, control_id, asked->>'action' AS action, queued_at,"
            " attempts, next_at, outcome, code, told FROM mss.hl7_deposit"
            " WHERE space = :space AND id > :after ORDER BY id LIMIT :limit"
        ),
        {"space": space, "after": after, "limit": limit},
    )
    return [dict(row._mapping) for row in rows]


async def retry_all(session: WriteSession, space: str) -> int:
    """Whatever waits for its next attempt is due now; how many that were."""
    rows = await session.execute(
        text(
            "UPDATE mss.hl7_deposit SET next_at = :now WHERE space = :space AND next_at > :now"
            " RETURNING id"
        ),
        {"space": space, "now": wall()},
    )
    return len(rows.all())
