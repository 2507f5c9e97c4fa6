"""SQL of identity records and their history; the register has its own module."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.ins.domain.identity import HistoryEntry, Identity, LocalNames, Provenance
from services.ins.domain.person import RegisteredIns
from services.ins.tables import identity, identity_step
from socle.db.database import WriteSession
from socle.ids.identity_status import IdentityState, Transition
from socle.ids.traits import Traits


async def insert_identity(session: WriteSession, space: str, new: Identity) -> bool:
    """False when the caller's reference is taken; a rival's uncommitted one is waited for."""
    statement = (
        insert(identity)
        .values(space=space, id=new.id, created_at=new.created_at, **_changing(new))
        .on_conflict_do_nothing(constraint="uq_identity_external_id")
        .returning(identity.c.id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def insert_identities(
    session: WriteSession, space: str, records: Sequence[Identity]
) -> set[UUID]:
    """Those that were inserted: not whose INS another record holds."""
    if not records:
        return set()
    statement = insert(identity).on_conflict_do_nothing().returning(identity.c.id)
    values = [
        {"space": space, "id": one.id, "created_at": one.created_at, **_changing(one)}
        for one in records
    ]
    return set((await session.execute(statement, values)).scalars())


async def update_identity(session: WriteSession, space: str, changed: Identity) -> None:
    await session.execute(
        update(identity)
        .where(identity.c.space == space, identity.c.id == changed.id)
        .values(**_changing(changed))
    )


async def get_identity(session: AsyncSession, space: str, identity_id: UUID) -> Identity | None:
    return await _one(session, identity.c.space == space, identity.c.id == identity_id)


async def lock_identity(session: WriteSession, space: str, identity_id: UUID) -> Identity | None:
    """The record, held until the transaction ends: two steps at once would lose one."""
    return await _one(session, identity.c.space == space, identity.c.id == identity_id, lock=True)


async def get_by_external_id(
    session: AsyncSession, space: str, external_id: str
) -> Identity | None:
    return await _one(session, identity.c.space == space, identity.c.external_id == external_id)


async def get_by_ins(
    session: AsyncSession, space: str, oid: str, matricule: str
) -> Identity | None:
    """The record that holds this INS, or else the last one that held it."""
    return await _one(
        session,
        identity.c.space == space,
        identity.c.oid == oid,
        identity.c.matricule == matricule,
    )


async def lock_ins(session: WriteSession, space: str, ins: RegisteredIns) -> None:
    """One transaction at a time may give this INS to a record of the space."""
    key = f"ins:{space}:{ins.oid}:{ins.matricule}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def insert_step(
    session: WriteSession, space: str, identity_id: UUID, transition: Transition, at: datetime
) -> None:
    """The caller holds the record's lock (or has just made it), so positions have no gap."""
    position = (
        select(func.count() + 1)
        .where(identity_step.c.space == space, identity_step.c.identity_id == identity_id)
        .scalar_subquery()
    )
    await session.execute(
        insert(identity_step).values(
            space=space,
            identity_id=identity_id,
            position=position,
            step=transition.step,
            from_status=transition.before.status,
            to_status=transition.after.status,
            reason=transition.reason,
            at=at,
        )
    )


async def insert_first_steps(
    session: WriteSession,
    space: str,
    identities: Sequence[UUID],
    transitions: Sequence[Transition],
    at: datetime,
) -> None:
    """The same history for each of these new records."""
    if not identities:
        return
    await session.execute(
        insert(identity_step),
        [
            {
                "space": space,
                "identity_id": identity_id,
                "position": position,
                "step": transition.step,
                "from_status": transition.before.status,
                "to_status": transition.after.status,
                "reason": transition.reason,
                "at": at,
            }
            for identity_id in identities
            for position, transition in enumerate(transitions, start=1)
        ],
    )


async def list_steps(
    session: AsyncSession, space: str, identity_id: UUID
) -> Sequence[HistoryEntry]:
    result = await session.execute(
        select(identity_step)
        .where(identity_step.c.space == space, identity_step.c.identity_id == identity_id)
        .order_by(identity_step.c.position)
    )
    return [
        HistoryEntry(row.step, row.from_status, row.to_status, row.reason, row.at) for row in result
    ]


async def _one(session: AsyncSession, *conditions: Any, lock: bool = False) -> Identity | None:
    statement = (
        select(identity)
        .where(*conditions)
        .order_by(identity.c.retrieved.desc(), identity.c.updated_at.desc())
        .limit(1)
    )
    row = (await session.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return None if row is None else identity_of_row(row)


def _changing(one: Identity) -> dict[str, Any]:
    return {
        "external_id": one.external_id,
        **asdict(one.traits),
        "oid": one.ins.oid if one.ins else None,
        "matricule": one.ins.matricule if one.ins else None,
        "key": one.ins.key if one.ins else None,
        **asdict(one.state),
        **asdict(one.names),
        **asdict(one.provenance),
        "former": [asdict(ins) for ins in one.former],
        "merged_into": one.merged_into,
        "updated_at": one.updated_at,
    }


def identity_of_row(row: Row[Any]) -> Identity:
    return Identity(
        id=row.id,
        external_id=row.external_id,
        traits=Traits(row.family_name, row.given_names, row.sex, row.birth_date, row.birth_place),
        state=IdentityState(
            retrieved=row.retrieved,
            checked=row.checked,
            homonym=row.homonym,
            doubtful=row.doubtful,
            fictive=row.fictive,
            birth_date_corrected=row.birth_date_corrected,
        ),
        ins=RegisteredIns(row.oid, row.matricule, row.key) if row.matricule else None,
        former=tuple(RegisteredIns(**former) for former in row.former),
        names=LocalNames(row.first_given_name, row.used_family_name, row.used_given_name),
        provenance=Provenance(
            row.collected_by, row.insi_at, row.evidence, row.evidence_at, row.evidence_expires
        ),
        merged_into=row.merged_into,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
