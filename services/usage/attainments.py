"""Use cases: an attestation that targets are reached, from its draft to its payment, with its history.

Every act is dated by the space's clock and kept; the same act again changes nothing; one that the state
does not allow says which ones it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import orjson
from pydantic import BaseModel
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import attainment_acts as acts
from services.usage import attainments_repository as repository
from services.usage.attainment_case import Case, Done
from services.usage.attainments_repository import Key
from services.usage.domain.acts import forbidden_data, holds_number_of_person
from services.usage.domain.attainments import TRANSITIONS, Action, Content, Draft, State, possible
from services.usage.domain.measures import Beneficiary
from services.usage.events import ATTESTATION_ADVANCED, activity_event
from services.usage.indicators import name_of
from services.usage.payments import check_kind, under
from services.usage.rule_store import book_of
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.envelope import Event
from socle.events.outbox import publish
from socle.problems import Problem
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Attainment:
    state: State
    content: Content
    changed_at: datetime
    history: Sequence[Row[Any]]
    payments: Sequence[Any]

    @property
    def paid(self) -> Decimal:
        return sum((row.amount for row in self.payments), Decimal(0))


async def read(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary, window: str
) -> Attainment:
    key = (space.name, of.key, programme, window)
    row = await repository.find(session, key)
    if row is None:
        raise _unknown(programme, window)
    return Attainment(
        cast(State, row.state),
        Content.model_validate_json(row.body),
        row.changed_at,
        await repository.steps(session, key),
        await repository.payments(session, key),
    )


async def act(
    session: WriteSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str,
    action: Action,
    request: BaseModel | None,
    *,
    by: str,
    options: dict[str, str],
    allow_unverified: bool,
    applications_enforced: bool = False,
) -> tuple[Attainment, bool]:
    """The attestation after the act, and whether the act changed it."""
    book = (await book_of(session, space.name, programme)).book
    rules = under(book, options)
    check_kind(rules, of)
    await name_of(session, space, of)
    if window not in rules.windows:
        known = ", ".join(rules.windows)
        raise DomainError(
            Category.NOT_FOUND,
            "window_unknown",
            f"{programme} has no window {window}; it has {known}.",
        )
    if holds_number_of_person(_text(request)):
        raise DomainError(
            Category.UNPROCESSABLE, "donnee_interdite",
            "The number of a person must not be written into an attestation.",
            problems=[forbidden_data("/body")],
        )  # fmt: skip
    key = (space.name, of.key, programme, window)
    await repository.lock(session, key)
    row = await repository.find(session, key)
    state: State
    if row is None:
        if action != "rediger" or not isinstance(request, Draft):
            raise _unknown(programme, window)
        state, content = "brouillon", Content(draft=request)
    else:
        state, content = cast(State, row.state), Content.model_validate_json(row.body)
        options = {**content.options, **options}
        rules = under(book, options)
        leads_on = TRANSITIONS[action].get(state, state) != state
        if action != "payer" and not leads_on and await _is_repeated(session, key, action, request):
            return await read(session, space, programme, of, window), False
    if state not in TRANSITIONS[action]:
        raise refused(state, action)
    case = Case(
        session, space, rules, of, window, key, options, allow_unverified, applications_enforced
    )
    done = await acts.ACTS[action](case, state, content, request)
    if done is None:
        return await read(session, space, programme, of, window), False
    await repository.put(session, key, done.state, done.content.model_dump_json(), space.now())
    await publish(session, "usage", [_advanced(space, of, programme, window, action, done)])
    await repository.add_step(
        session, key, action, done.state, by, space.now(), _text(request),
        orjson.dumps(done.result, default=str).decode(),
    )  # fmt: skip
    return await read(session, space, programme, of, window), True


def _advanced(
    space: Space, of: Beneficiary, programme: str, window: str, action: Action, done: Done
) -> Event:
    paid = done.result if action == "payer" else {}
    data = {
        "structure": of.number if of.kind == "structure" else None,
        "professional": of.number if of.kind == "professional" else None,
        "programme": programme,
        "window": window,
        "action": action,
        "state": done.state,
        "amount": paid.get("amount", done.content.amount),
        "step": paid.get("step"),
    }
    return activity_event(ATTESTATION_ADVANCED, space.name, data, space.now())


async def _is_repeated(
    session: AsyncSession, key: Key, action: Action, request: BaseModel | None
) -> bool:
    """Done already, by the same words, since the draft was last open to changes or a figure changed."""
    said = _text(request)
    for row in reversed(await repository.steps(session, key)):
        if row.action == action and row.request == said:
            return True
        if row.state == "brouillon" or row.action in ("constater", "corriger"):
            return False
    return False


def _text(request: BaseModel | None) -> str:
    return "{}" if request is None else request.model_dump_json()


def refused(state: State, action: Action) -> DomainError:
    allowed = ", ".join(possible(state))
    return DomainError(
        Category.CONFLICT,
        "transition_refusee",
        f"An attestation in state {state} does not take {action}; possible are {allowed}.",
        problems=[Problem("ATTESTATION-STATE", "/state", f"{state}: no {action}", allowed)],
    )


def _unknown(programme: str, window: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "attestation_inconnue",
        f"Nothing is declared for {programme}, window {window}; PUT its figures first.",
    )
