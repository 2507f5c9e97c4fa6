"""SQL of searches among the identity records of a space."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, collate, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.ins.domain.identity import Identity
from services.ins.domain.likeness import Sought
from services.ins.fhir.search import NamePart, PatientQuery
from services.ins.repository import identity_of_row
from services.ins.tables import identity
from socle.ids.traits import transliterate

_family_name: ColumnElement[str] = collate(identity.c.family_name, "C")


async def search_patients(
    session: AsyncSession, space: str, query: PatientQuery, limit: int
) -> list[Identity]:
    """By id, which is the order of creation."""
    statement = (
        select(identity)
        .where(identity.c.space == space, *_conditions(query))
        .order_by(identity.c.id)
        .limit(limit)
    )
    if query.after is not None:
        statement = statement.where(identity.c.id > query.after)
    return [identity_of_row(row) for row in await session.execute(statement)]


async def count_patients(session: AsyncSession, space: str, query: PatientQuery) -> int:
    statement = (
        select(func.count())
        .select_from(identity)
        .where(identity.c.space == space, *_conditions(query))
    )
    return int((await session.execute(statement)).scalar_one())


async def find_alike(
    session: AsyncSession, space: str, sought: Sought, limit: int
) -> list[Identity]:
    """Living records that share the INS, the birth date or the family name with whom is sought."""
    conditions: list[ColumnElement[bool]] = []
    if sought.ins:
        conditions.append(_has_ins([sought.ins]))
    if sought.birth_date:
        conditions.append(identity.c.birth_date == sought.birth_date)
    if sought.family_name:
        conditions.append(_family_name == transliterate(sought.family_name))
    statement = (
        select(identity)
        .where(identity.c.space == space, identity.c.merged_into.is_(None), or_(*conditions))
        .order_by(identity.c.id)
        .limit(limit)
    )
    return [identity_of_row(row) for row in await session.execute(statement)]


def _conditions(query: PatientQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.ids:
        found.append(identity.c.id.in_(query.ids))
    named: list[ColumnElement[bool]] = []
    if query.ins:
        named.append(_has_ins(query.ins))
    if query.locals:
        named.append(identity.c.external_id.in_(query.locals))
    if named:
        found.append(or_(*named))
    found += [or_(*(_family_is(part) for part in parts)) for parts in query.families]
    found += [or_(*(_has_given(part) for part in parts)) for parts in query.givens]
    found += [
        identity.c.birth_date.startswith(begin, autoescape=True) for begin in query.birth_dates
    ]
    if query.sexes is not None:
        found.append(identity.c.sex.in_(query.sexes))
    if query.active is not None:
        alive = identity.c.merged_into.is_(None)
        found.append(alive if query.active else ~alive)
    return found


def _has_ins(numbers: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """Only a qualified identity may be known by its INS."""
    return and_(
        tuple_(identity.c.oid, identity.c.matricule).in_(numbers),
        identity.c.retrieved,
        identity.c.checked,
    )


def _family_is(part: NamePart) -> ColumnElement[bool]:
    if part.exact:
        return _family_name == part.value
    return _family_name.startswith(part.value, autoescape=True)


def _has_given(part: NamePart) -> ColumnElement[bool]:
    """Any name of the list, or the list from one of its names on."""
    names = func.concat(" ", identity.c.given_names, " ")
    sought = f" {part.value} " if part.exact else f" {part.value}"
    return names.contains(sought, autoescape=True)
