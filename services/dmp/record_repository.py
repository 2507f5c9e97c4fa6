"""The SQL of records and of who may read them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp.domain.record import AccessRight, Person, Record
from services.dmp.tables import access_right, document, patient, record
from socle.db.database import WriteSession
from socle.ids.ins import Ins

_PROFILE = ("given_name", "family_name", "specialty", "specialty_label")


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """A record that a professional may read, for TD0.4; the dates are of what was registered."""

    record: Record
    right: AccessRight
    last_document_at: datetime | None = field(default=None)


async def get_record(session: AsyncSession, space: str, pseudonym: str) -> Record | None:
    result = await session.execute(
        select(record).where(record.c.space == space, record.c.patient == pseudonym)
    )
    row = result.one_or_none()
    return _record(row._asdict()) if row else None


async def lock_record(session: WriteSession, space: str, pseudonym: str, default: Record) -> Record:
    """The record with its row, which is made of `default` where there was none."""
    await session.execute(
        insert(record).values(_row(space, pseudonym, default)).on_conflict_do_nothing()
    )
    result = await session.execute(
        select(record)
        .where(record.c.space == space, record.c.patient == pseudonym)
        .with_for_update()
    )
    return _record(result.one()._asdict())


async def store_record(session: WriteSession, space: str, pseudonym: str, changed: Record) -> None:
    values = _row(space, pseudonym, changed)
    await session.execute(
        insert(record).values(values).on_conflict_do_update(constraint="pk_record", set_=values)
    )


async def list_records(session: AsyncSession, space: str, limit: int) -> list[Record]:
    result = await session.execute(
        select(record).where(record.c.space == space).order_by(record.c.patient).limit(limit)
    )
    return [_record(row._asdict()) for row in result]


async def find_by_name(
    session: AsyncSession, space: str, family_name: str, limit: int
) -> list[Record]:
    """Open records whose patient bears this name, of birth or of use, whatever the case."""
    wanted = family_name.casefold()
    name = func.lower(record.c.person["family_name"].astext)
    used = func.lower(record.c.person["used_name"].astext)
    result = await session.execute(
        select(record)
        .where(
            record.c.space == space,
            record.c.status == "active",
            or_(name == wanted, used == wanted),
        )
        .order_by(record.c.patient)
        .limit(limit)
    )
    return [_record(row._asdict()) for row in result]


async def is_qualified(session: AsyncSession, space: str, pseudonym: str) -> bool:
    result = await session.execute(
        select(patient.c.qualified).where(
            patient.c.space == space, patient.c.pseudonym == pseudonym
        )
    )
    return bool(result.scalar_one_or_none())


async def describing_info(session: AsyncSession, space: str, pseudonym: str) -> Sequence[str]:
    """sourcePatientInfo of the patient's newest document: what a record can be named by."""
    result = await session.execute(
        select(document.c.metadata["xds"]["source_patient_info"])
        .where(document.c.space == space, document.c.patient == pseudonym)
        .order_by(document.c.created_at.desc())
        .limit(1)
    )
    return result.scalar_one_or_none() or ()


async def get_right(
    session: AsyncSession, space: str, pseudonym: str, professional: str
) -> AccessRight | None:
    result = await session.execute(
        select(access_right).where(
            access_right.c.space == space,
            access_right.c.patient == pseudonym,
            access_right.c.professional == professional,
        )
    )
    row = result.one_or_none()
    return _right(row._asdict()) if row else None


async def list_rights(
    session: AsyncSession, space: str, pseudonym: str, modes: Sequence[str]
) -> list[AccessRight]:
    result = await session.execute(
        select(access_right)
        .where(
            access_right.c.space == space,
            access_right.c.patient == pseudonym,
            access_right.c.mode.in_(modes),
        )
        .order_by(access_right.c.started_at, access_right.c.professional)
    )
    return [_right(row._asdict()) for row in result]


async def store_right(
    session: WriteSession, space: str, pseudonym: str, right: AccessRight
) -> None:
    values = {
        "space": space,
        "patient": pseudonym,
        "professional": right.professional,
        "mode": right.mode,
        "is_treating_doctor": right.is_treating_doctor,
        "started_at": right.started_at,
        "last_action_at": right.last_action_at,
        "profile": {name: value for name in _PROFILE if (value := getattr(right, name))},
    }
    await session.execute(
        insert(access_right)
        .values(values)
        .on_conflict_do_update(constraint="pk_access_right", set_=values)
    )


async def replace_rights(
    session: WriteSession, space: str, pseudonym: str, rights: Sequence[AccessRight]
) -> None:
    await session.execute(
        delete(access_right).where(
            access_right.c.space == space, access_right.c.patient == pseudonym
        )
    )
    for right in rights:
        await store_right(session, space, pseudonym, right)


async def remove_right(
    session: WriteSession, space: str, pseudonym: str, professional: str
) -> bool:
    """False where there was none."""
    result = await session.execute(
        delete(access_right)
        .where(
            access_right.c.space == space,
            access_right.c.patient == pseudonym,
            access_right.c.professional == professional,
        )
        .returning(access_right.c.professional)
    )
    return result.one_or_none() is not None


async def list_readable(
    session: AsyncSession, space: str, professional: str, limit: int
) -> list[ListedRecord]:
    """The records that a professional may read, the last given first."""
    last = (
        select(func.max(document.c.registered_at))
        .where(document.c.space == space, document.c.patient == access_right.c.patient)
        .scalar_subquery()
    )
    result = await session.execute(
        select(access_right, record, last.label("last_document_at"))
        .join(
            record,
            and_(
                record.c.space == access_right.c.space, record.c.patient == access_right.c.patient
            ),
        )
        .where(
            access_right.c.space == space,
            access_right.c.professional == professional,
            access_right.c.mode == "ACTIVE",
            record.c.status == "active",
        )
        .order_by(access_right.c.started_at.desc(), access_right.c.patient)
        .limit(limit)
    )
    return [
        ListedRecord(_record(row), _right(row), row["last_document_at"])
        for row in (dict(zip(result.keys(), values, strict=True)) for values in result)
    ]


def _record(row: dict[str, Any]) -> Record:
    return Record(
        Ins(row["oid"], row["matricule"]),
        row["status"],
        Person.of_json(row["person"]),
        row["attached"],
        row["internet_account"],
        row["opposes_break_glass"],
        row["opposes_emergency"],
        row["opposes_feeding"],
        row["shows_masked_in_emergency"],
        row["closing_code"],
        row["closed_at"],
        row["opened_at"],
    )


def _row(space: str, pseudonym: str, stored: Record) -> dict[str, Any]:
    values = {name: getattr(stored, name) for name in stored.__slots__}
    ins, person = values.pop("ins"), values.pop("person")
    return {
        "space": space,
        "patient": pseudonym,
        "oid": ins.oid,
        "matricule": ins.matricule,
        "person": person.as_json(),
        **values,
    }


def _right(row: dict[str, Any]) -> AccessRight:
    names = ("professional", "mode", "is_treating_doctor", "started_at", "last_action_at")
    return AccessRight(**{name: row[name] for name in names}, **row["profile"])
