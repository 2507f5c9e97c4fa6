"""The person's side of a waiting request: approve with number and PIN, refuse, err, let expire.

A wrong answer is counted in the transaction that it ends, so the outcome is returned, not raised.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.psc.domain.ecps import (
    MAX_WRONG_NUMBERS,
    MAX_WRONG_PINS,
    AuthenticationRequest,
    Phone,
)
from services.psc.provider import Provider
from services.psc.repository import requests
from socle.clock import wall
from socle.db.database import WriteSession
from socle.errors import Category, DomainError

Outcome = Literal["approved", "refused", "wrong_number", "wrong_pin", "locked", "expired", "gone"]


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    tries_left: int = 0
    locked_until: datetime | None = None


async def approve(
    provider: Provider,
    session: WriteSession,
    space: str,
    id_: UUID,
    *,
    number: str | None = None,
    pin: str | None = None,
) -> Answer:
    """As on the phone. What is None is taken as right: only the control plane leaves it out."""
    now = wall()
    request = await _locked(session, space, id_)
    if request.verdict(now) != "pending":
        return Answer("gone")
    if pin is not None:
        refusal = await _check_pin(provider, session, space, request.national_id, pin, now)
        if refusal is not None:
            return refusal
    if number is not None and number != request.number:
        return await _count_wrong_number(session, request)
    await requests.decide(session, request, "approved", request.wrong_numbers)
    return Answer("approved")


async def check_card_pin(
    provider: Provider, session: WriteSession, space: str, national_id: str, pin: str
) -> Answer | None:
    """None when it is right. Cards and phones share the count: it is one PIN to guess."""
    return await _check_pin(provider, session, space, national_id, pin, wall())


async def refuse(session: WriteSession, space: str, id_: UUID) -> Answer:
    request = await _locked(session, space, id_)
    if request.verdict(wall()) != "pending":
        return Answer("gone")
    await requests.decide(session, request, "refused", request.wrong_numbers)
    return Answer("refused")


async def choose_wrong_number(session: WriteSession, space: str, id_: UUID) -> Answer:
    request = await _locked(session, space, id_)
    if request.verdict(wall()) != "pending":
        return Answer("gone")
    return await _count_wrong_number(session, request)


async def let_expire(session: WriteSession, space: str, id_: UUID) -> Answer:
    request, now = await _locked(session, space, id_), wall()
    if request.verdict(now) not in ("pending", "approved"):
        return Answer("gone")
    await requests.expire(session, request, now)
    return Answer("expired")


async def _locked(session: WriteSession, space: str, id_: UUID) -> AuthenticationRequest:
    request = await requests.lock(session, space, id_)
    if request is None:
        raise DomainError(
            Category.NOT_FOUND,
            "request_unknown",
            "This space has no such authentication request; GET /_sandbox/psc/requests lists them.",
        )
    return request


async def _count_wrong_number(session: WriteSession, request: AuthenticationRequest) -> Answer:
    wrong = request.wrong_numbers + 1
    if wrong >= MAX_WRONG_NUMBERS:
        await requests.decide(session, request, "refused", wrong)
        return Answer("refused")
    await requests.decide(session, request, "pending", wrong)
    return Answer("wrong_number", MAX_WRONG_NUMBERS - wrong)


async def _check_pin(
    provider: Provider,
    session: WriteSession,
    space: str,
    national_id: str,
    pin: str,
    now: datetime,
) -> Answer | None:
    """Counted per person and not per request: a new request gives no new tries."""
    phone = await requests.lock_phone(session, space, national_id)
    if phone.is_locked(now):
        return Answer("locked", locked_until=phone.locked_until)
    if pin == provider.settings.psc_phone_pin:
        if phone.wrong_pins:
            await requests.store_phone(session, space, national_id, Phone())
        return None
    wrong = phone.wrong_pins + 1
    if wrong >= MAX_WRONG_PINS:
        locked = Phone(0, now + provider.lifetimes.phone_lock)
        await requests.store_phone(session, space, national_id, locked)
        return Answer("locked", locked_until=locked.locked_until)
    await requests.store_phone(session, space, national_id, Phone(wrong))
    return Answer("wrong_pin", MAX_WRONG_PINS - wrong)
