"""Searches of the register, as INSi answers them and as a client should ask them."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.ins import register
from services.ins.domain.card import CardQuery, search_card
from services.ins.domain.matching import (
    Query,
    Result,
    ResultCode,
    given_name_attempts,
    search,
)
from socle.ids.traits import Traits


async def find_person(session: AsyncSession, space: str, query: Query) -> Result:
    return search(query, await register.find_candidates(session, space, query))


async def find_beneficiary(session: AsyncSession, space: str, query: CardQuery) -> Result:
    if query.own:
        return search_card(query, await register.find_by_number(session, space, query.own))
    return search_card(query, await register.find_on_card(session, space, query.insured))


async def search_in_turn(session: AsyncSession, space: str, traits: Traits) -> Result:
    """As CNDA test 2.07 wants it: each given name, then all; the birth place where there are
    homonyms."""
    result = Result(ResultCode.NONE)
    for names in given_name_attempts(traits.given_names.split(" ")):
        query = Query(traits.family_name, names, traits.sex, traits.birth_date)
        result = await find_person(session, space, query)
        if result.code is ResultCode.SEVERAL and traits.birth_place:
            narrowed = Query(
                traits.family_name, names, traits.sex, traits.birth_date, traits.birth_place
            )
            result = await find_person(session, space, narrowed)
        if result.code is not ResultCode.NONE:
            break
    return result
