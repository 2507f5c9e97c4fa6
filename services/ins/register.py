"""SQL of the national register: whom INSi knows in a space."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, collate, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.ins.domain.matching import Query
from services.ins.domain.person import Person, RegisteredIns
from services.ins.domain.verification import Claim
from services.ins.tables import person
from socle.db.database import WriteSession
from socle.ids.ins import INS_OIDS
from socle.ids.traits import Traits, fold

# Written out, not bound: a plan made for any value could not use the partial indexes.
_HAS_HISTORY = text("history <> '[]'")
_ON_ANOTHERS_CARD = text("insured <> ''")


async def upsert_people(session: WriteSession, space: str, people: Sequence[Person]) -> None:
    """One statement for all of them; a person who is there is replaced."""
    statement = insert(person)
    kept = ("space", "oid", "matricule")
    replaced = {
        column.name: statement.excluded[column.name]
        for column in person.c
        if column.name not in kept
    }
    await session.execute(
        statement.on_conflict_do_update(constraint="pk_person", set_=replaced),
        [_values(space, one) for one in people],
    )


async def find_candidates(session: AsyncSession, space: str, query: Query) -> list[Person]:
    """Everyone with the query's birth date, sex and family name; matching decides the rest."""
    result = await session.execute(
        select(person).where(
            person.c.space == space,
            person.c.birth_date == query.birth_date,
            person.c.sex == query.sex,
            person.c.family_keys.contains([fold(query.family_name)]),
        )
    )
    return [_person(row) for row in result]


async def find_by_number(session: AsyncSession, space: str, matricule: str) -> list[Person]:
    """Who has this number or had it, under whatever OID: a card and a scan do not tell it."""
    former = person.c.history.contains([{"matricule": matricule}])
    # Two statements, each with an index of its own.
    holders = select(person).where(
        person.c.space == space,
        person.c.oid.in_(sorted(INS_OIDS)),
        person.c.matricule == matricule,
    )
    formers = select(person).where(person.c.space == space, _HAS_HISTORY, former)
    found = {}
    for statement in (holders, formers):
        for row in await session.execute(statement):
            found[row.oid, row.matricule] = _person(row)
    return list(found.values())


async def find_on_card(session: AsyncSession, space: str, insured: str) -> list[Person]:
    """The beneficiaries of the card of whoever has this number: themselves, and the others."""
    others = await session.execute(
        select(person).where(
            person.c.space == space, _ON_ANOTHERS_CARD, person.c.insured == insured
        )
    )
    own = await find_by_number(session, space, insured)
    return [*(one for one in own if not one.insured), *(_person(row) for row in others)]


async def find_by_claims(
    session: AsyncSession, space: str, claims: Sequence[Claim]
) -> dict[tuple[str, str], Person]:
    """Whose INS each claim names, by OID and matricule: the active one only."""
    numbers = sorted({claim.number for claim in claims})
    result = await session.execute(
        select(person).where(
            person.c.space == space, tuple_(person.c.oid, person.c.matricule).in_(numbers)
        )
    )
    return {(row.oid, row.matricule): _person(row) for row in result}


async def list_people(
    session: AsyncSession, space: str, family_name: str, limit: int
) -> list[Person]:
    """By name; `family_name` is the beginning of the wanted ones."""
    name = collate(person.c.family_name, "C")
    result = await session.execute(
        select(person)
        .where(person.c.space == space, name.startswith(family_name, autoescape=True))
        .order_by(name, collate(person.c.given_names, "C"), person.c.matricule)
        .limit(limit)
    )
    return [_person(row) for row in result]


def _values(space: str, one: Person) -> dict[str, Any]:
    names = (one.traits.family_name, *one.other_family_names)
    return {
        "space": space,
        "oid": one.active.oid,
        "matricule": one.active.matricule,
        "key": one.active.key,
        "family_name": one.traits.family_name,
        "given_names": one.traits.given_names,
        "sex": one.traits.sex,
        "birth_date": one.traits.birth_date,
        "birth_place": one.traits.birth_place,
        "family_keys": sorted({fold(name) for name in names}),
        "other_family_names": list(one.other_family_names),
        "cnda_tests": list(one.cnda_tests),
        "history": [asdict(former) for former in one.history],
        "insured": one.insured,
        "birth_rank": one.birth_rank,
    }


def _person(row: Row[Any]) -> Person:
    return Person(
        traits=Traits(row.family_name, row.given_names, row.sex, row.birth_date, row.birth_place),
        active=RegisteredIns(row.oid, row.matricule, row.key),
        history=tuple(RegisteredIns(**former) for former in row.history),
        other_family_names=tuple(row.other_family_names),
        cnda_tests=tuple(row.cnda_tests),
        insured=row.insured,
        birth_rank=row.birth_rank,
    )
