"""SQL of patients: who is qualified, what their mailboxes are, the rules of a space, the notices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.mailboxes import Mailbox
from services.mss.domain.patient_rules import PatientRules, State
from services.mss.repository import insert_mailbox
from socle.db.database import WriteSession
from socle.idgen import uuid7

KIND = "PATIENT"


@dataclass(frozen=True, slots=True)
class PatientMailbox:
    address: str = field(repr=False)
    pseudonym: str
    state: State
    name: str = field(repr=False)
    email: str = field(repr=False)


async def upsert_patient(
    session: WriteSession, space: str, pseudonym: str, qualified: bool, at: datetime
) -> None:
    """What was said last wins; an older event that arrives late changes nothing."""
    await session.execute(
        text(
            "INSERT INTO mss.patient AS p VALUES (:space, :pseudonym, :qualified, :at)"
            " ON CONFLICT ON CONSTRAINT pk_patient DO UPDATE"
            " SET qualified = :qualified, said_at = :at WHERE p.said_at <= :at"
        ),
        {"space": space, "pseudonym": pseudonym, "qualified": qualified, "at": at},
    )


async def get_qualified(
    session: AsyncSession, space: str, pseudonyms: Sequence[str]
) -> dict[str, bool]:
    """Only those of whom something has been said."""
    rows = await session.execute(
        text(
            "SELECT pseudonym, qualified FROM mss.patient"
            " WHERE space = :space AND pseudonym = ANY(:pseudonyms)"
        ),
        {"space": space, "pseudonyms": list(pseudonyms)},
    )
    return {row.pseudonym: row.qualified for row in rows}


async def get_rules(session: AsyncSession, space: str) -> PatientRules:
    found = await session.execute(
        text("SELECT rules FROM mss.patient_rules WHERE space = :space"), {"space": space}
    )
    rules = found.scalar_one_or_none()
    return PatientRules() if rules is None else PatientRules.model_validate(rules)


async def store_rules(session: WriteSession, space: str, rules: PatientRules) -> None:
    await session.execute(
        text(
            "INSERT INTO mss.patient_rules VALUES (:space, CAST(:rules AS jsonb))"
            " ON CONFLICT ON CONSTRAINT pk_patient_rules DO UPDATE SET rules = EXCLUDED.rules"
        ),
        {"space": space, "rules": orjson.dumps(rules.model_dump()).decode()},
    )


async def ensure_mailbox(
    session: WriteSession,
    space: str,
    address: str,
    pseudonym: str,
    state: State,
    *,
    to_change: bool = False,
) -> PatientMailbox:
    """The mailbox, made in this state where there was none, and kept as it is until the commit. Who
    means to change it says so: two that share a lock and then both want more wait for ever."""
    made = await insert_mailbox(session, space, Mailbox(address, KIND, ""), [])
    if made:
        await session.execute(
            text(
                "INSERT INTO mss.patient_mailbox"
                " VALUES (:space, :address, :pseudonym, :state, '', '')"
            ),
            {"space": space, "address": address, "pseudonym": pseudonym, "state": state},
        )
    found = await get_mailbox(
        session, space, address, lock="FOR UPDATE" if to_change else "FOR SHARE"
    )
    assert found is not None
    return found


async def get_mailbox(
    session: AsyncSession, space: str, address: str, *, lock: str = ""
) -> PatientMailbox | None:
    rows = await session.execute(
        text(
            "SELECT address, pseudonym, state, name, email FROM mss.patient_mailbox"
            f" WHERE space = :space AND address = :address {lock}"
        ),
        {"space": space, "address": address},
    )
    row = rows.one_or_none()
    return None if row is None else PatientMailbox(*row)


async def list_mailboxes(session: AsyncSession, space: str, limit: int) -> list[PatientMailbox]:
    rows = await session.execute(
        text(
            "SELECT address, pseudonym, state, name, email FROM mss.patient_mailbox"
            " WHERE space = :space ORDER BY address LIMIT :limit"
        ),
        {"space": space, "limit": limit},
    )
    return [PatientMailbox(*row) for row in rows]


async def update_mailbox(session: WriteSession, space: str, box: PatientMailbox) -> None:
    await session.execute(
        text(
            "UPDATE mss.patient_mailbox SET state = :state, name = :name, email = :email"
            " WHERE space = :space AND address = :address"
        ),
        {
            "space": space,
            "address": box.address,
            "state": box.state,
            "name": box.name,
            "email": box.email,
        },
    )


async def insert_notification(
    session: WriteSession, space: str, box: PatientMailbox, at: datetime
) -> None:
    await session.execute(
        text("INSERT INTO mss.notification VALUES (:id, :space, :patient, :email, :at)"),
        {"id": uuid7(), "space": space, "patient": box.address, "email": box.email, "at": at},
    )


async def list_notifications(
    session: AsyncSession, space: str, patient: str, limit: int
) -> list[tuple[UUID, str, datetime]]:
    """Identifier, ordinary address, instant; the newest first."""
    rows = await session.execute(
        text(
            "SELECT id, email, sent_at FROM mss.notification"
            " WHERE space = :space AND patient = :patient ORDER BY id DESC LIMIT :limit"
        ),
        {"space": space, "patient": patient, "limit": limit},
    )
    return [(row.id, row.email, row.sent_at) for row in rows]
