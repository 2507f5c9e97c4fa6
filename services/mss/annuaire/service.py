"""Use cases of the directory: search, read."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.annuaire import repository
from services.mss.annuaire.conditions import Conditions, conditions_of
from services.mss.annuaire.domain import index, refusals, systems
from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.parameters import PARAMETERS, TARGETS
from services.mss.annuaire.domain.query import Search
from services.mss.annuaire.domain.results import Include, Results, page_token
from services.mss.annuaire.domain.telecom import Listed, with_mailboxes
from services.mss.annuaire.repository import Place, Stored
from services.mss.annuaire.sorting import NoSuchPlaceError, find_places
from socle.fhir.bundle import instant

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}
_ROUNDS = 3
"""How often `:iterate` goes on: the longest chain, site to legal entity, has fewer links."""


@dataclass(frozen=True, slots=True)
class Page:
    """`included` comes with `matches`; `total` is None where it is not told."""

    matches: list[Json] = field(repr=False)
    included: list[Json] = field(repr=False)
    total: int | None
    next_token: str | None


async def search(session: AsyncSession, wanted: Search, *, restricted: bool) -> Page:
    if wanted.problems:
        raise refusals.refused(wanted.problems)
    results = wanted.results
    if results.page_token and results.after is None:
        raise refusals.page_gone(results.page_token)
    async with repository.planned_for_values(session):
        conditions = await conditions_of(session, wanted, restricted=restricted)
        total = await _total(session, conditions, results)
        if results.only_count:
            return Page([], [], total, None)
        found, places = await _found(session, conditions, results)
    page, more = found[: results.count], len(found) > results.count
    included = await _included(session, wanted, page)
    shown = await show(session, wanted.space, [*page, *included], restricted=restricted)
    shown = [_subset(one, results.shown(one["resourceType"])) for one in shown]
    token = page_token(places[results.count - 1]) if more else None
    return Page(shown[: len(page)], shown[len(page) :], total, token)


async def _found(
    session: AsyncSession, conditions: Conditions, results: Results
) -> tuple[list[Stored], list[tuple[str, ...]]]:
    """One entry more than the page has, and for each what a page would begin after."""
    limit = results.count + 1
    if not results.sort:
        if results.after is not None and len(results.after) != 1:
            raise refusals.page_gone(results.page_token)
        after = results.after[0] if results.after else ""
        found = await repository.find_page(session, conditions, after, limit)
        return found, [(one.id,) for one in found]
    many = await repository.is_large(session, conditions)
    try:
        places = await find_places(
            session, conditions, results.sort, results.after, limit, many=many
        )
    except NoSuchPlaceError:
        raise refusals.page_gone(results.page_token) from None
    wanted = [(conditions.kind, id_) for _, id_ in places]
    stored = {
        (one.kind, one.id): one
        for one in await repository.find_all(session, conditions.space, wanted)
    }
    return [stored[it] for it in wanted], [(*values, id_) for values, id_ in places]


async def read(
    session: AsyncSession, space: str, kind: str, id_: str, *, restricted: bool
) -> tuple[Json, int]:
    """The resource and its version."""
    stored = await repository.find(session, space, kind, id_)
    if stored is None:
        raise refusals.unknown_resource(kind, id_)
    [shown] = await show(session, space, [stored], restricted=restricted)
    return shown, stored.version


async def show(
    session: AsyncSession, space: str, entries: list[Stored], *, restricted: bool
) -> list[Json]:
    holders = [one for one in entries if one.kind in systems.HOLDERS]
    mailboxes = await repository.mailboxes_of(session, space, holders)
    return [
        dressed(one, mailboxes.get((one.kind, one.id), []), restricted=restricted)
        for one in entries
    ]


def dressed(stored: Stored, mailboxes: list[Listed], *, restricted: bool) -> Json:
    meta: dict[str, Any] = {
        "versionId": str(stored.version),
        "lastUpdated": instant(stored.updated_at),
        **stored.body["meta"],
    }
    if restricted:
        meta["profile"] = [systems.restricted(one) for one in meta["profile"]]
    body = {**stored.body, "meta": meta}
    return with_mailboxes(body, mailboxes, restricted=restricted)


async def _total(session: AsyncSession, conditions: Conditions, results: Results) -> int | None:
    if results.total == "none" and not results.only_count:
        return None
    asked = results.total in ("accurate", "estimate") or results.only_count
    if conditions.costly and not asked and await repository.is_large(session, conditions):
        return None
    limit = None if asked else repository.COUNTED
    total = await repository.count(session, conditions, limit)
    return None if limit is not None and total > limit else total


async def _included(session: AsyncSession, wanted: Search, page: list[Stored]) -> list[Stored]:
    """What the page refers to and what refers to it, each once."""
    results = wanted.results
    found: dict[Place, Stored] = {(one.kind, one.id): one for one in page}
    fresh, number = page, len(page)
    for turn in range(_ROUNDS):
        includes = [one for one in results.includes if one.iterated or turn == 0]
        reverse = [one for one in results.reverse if one.iterated or turn == 0]
        more = await _referred(session, wanted.space, fresh, includes)
        more += await _referring(session, wanted.space, fresh, reverse)
        fresh = list({(x.kind, x.id): x for x in more if (x.kind, x.id) not in found}.values())
        if not fresh:
            break
        found |= {(one.kind, one.id): one for one in fresh}
    return list(found.values())[number:]


async def _referred(
    session: AsyncSession, space: str, entries: list[Stored], includes: list[Include]
) -> list[Stored]:
    places: dict[Place, None] = {}
    for include in includes:
        values = PARAMETERS[include.kind][include.parameter].values
        assert values is not None
        for entry in entries:
            if entry.kind == include.kind:
                for _, target in values(entry.body):
                    kind, _, id_ = target.partition("/")
                    places[kind, id_] = None
    return await repository.find_all(session, space, list(places)) if places else []


async def _referring(
    session: AsyncSession, space: str, entries: list[Stored], includes: list[Include]
) -> list[Stored]:
    found: list[Stored] = []
    for include in includes:
        target = TARGETS[include.kind, include.parameter]
        keys = [
            index.key(space, include.kind, include.parameter, None, f"{target}/{entry.id}")
            for entry in entries
            if entry.kind == target
        ]
        if keys:
            found += await repository.find_by_tokens(session, space, include.kind, keys)
    return found


def _subset(resource: Json, elements: tuple[str, ...] | None) -> Json:
    if elements is None:
        return resource
    kept = {"resourceType", "id", "meta", *elements}
    meta = {**resource["meta"], "tag": [SUBSETTED]}
    return {name: value for name, value in {**resource, "meta": meta}.items() if name in kept}
