"""The simulated e-CPS: a page with the requests that wait, three numbers, a PIN, yes or no."""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from services.psc.api.context import CurrentProvider, form_of, prefix_of
from services.psc.api.pages import page
from services.psc.api.requests import PersonFilter
from services.psc.domain.ecps import AuthenticationRequest
from services.psc.domain.parameters import Parameters
from services.psc.provider import Provider
from services.psc.repository import clients, people, requests
from services.psc.service import ecps
from socle.auth.dependencies import RequestSpace
from socle.clock import wall
from socle.db.sessions import ReadSession, WriteSession
from socle.http.control import sandbox_only
from socle.http.same_site import same_site_only
from socle.spaces import Space

PHONE: Final = "/_sandbox/psc/phone"
REQUESTS_ON_PAGE: Final = 20
router = APIRouter(prefix=PHONE, include_in_schema=False, dependencies=[sandbox_only])

_TOLD: Final[dict[str, str]] = {
    "approved": "Connexion acceptée. Retournez à l’application.",
    "refused": "Demande refusée. L’application en est prévenue.",
    "wrong_number": "Ce n’est pas le code affiché par l’application. Essais restants : {left}.",
    "wrong_pin": "Code PIN faux. Essais restants : {left}.",
    "locked": "Téléphone bloqué : trop de codes PIN faux. Réessayez plus tard.",
    "gone": "Cette demande n’attend plus de réponse : recommencez depuis l’application.",
    "incomplete": "Choisissez l’un des trois codes et saisissez votre code PIN à quatre chiffres.",
}


def address(request: Request, space: str, national_id: str) -> str:
    """Names the space even where the path did not: the client alone had chosen it."""
    prefix = prefix_of(request) or f"/s/{space}"
    return f"{prefix}{PHONE}?{urlencode({'person': national_id})}"


@router.get("")
async def show(
    request: Request,
    provider: CurrentProvider,
    session: ReadSession,
    space: RequestSpace,
    person: PersonFilter = None,
    outcome: str = "",
    left: Annotated[int, Query(ge=0, le=99)] = 0,
) -> Response:
    now = wall()
    latest = await requests.list_latest(session, space.name, person, REQUESTS_ON_PAGE)
    pending = [found for found in latest if found.verdict(now) == "pending"]
    query = urlencode({"status": "pending", **({"person": person} if person else {})})
    return page(
        "phone.html",
        script="phone.js",
        space=space.name,
        person=person,
        waiting=[await _shown(session, found) for found in pending],
        message=_TOLD.get(outcome, "").format(left=left),
        failed=outcome not in ("", "approved", "refused"),
        here=_here(request, person),
        poll=f"{prefix_of(request)}/_sandbox/psc/requests?{query}",
        pin=provider.settings.psc_phone_pin,
        action=prefix_of(request) + PHONE,
    )


async def _shown(session: AsyncSession, found: AuthenticationRequest) -> dict[str, object]:
    client = await clients.find(session, found.space, found.client_id)
    person = await people.find(session, found.space, found.national_id)
    remaining = int((found.expires_at - wall()).total_seconds())
    return {"request": found, "client": client, "person": person, "seconds": max(remaining, 0)}


@router.post("/{id_}", dependencies=[same_site_only])
async def answer(
    request: Request,
    provider: CurrentProvider,
    session: WriteSession,
    space: RequestSpace,
    id_: UUID,
) -> Response:
    form = await form_of(request)
    told = await _answer(provider, session, space, id_, form)
    query = {
        "outcome": told.outcome if told else "incomplete",
        "left": told.tries_left if told else 0,
    }
    return RedirectResponse(f"{_here(request, form.get('person'), query)}", 303)


async def _answer(
    provider: Provider, session: WriteSession, space: Space, id_: UUID, form: Parameters
) -> ecps.Answer | None:
    if form.get("action") == "refuse":
        return await ecps.refuse(session, space.name, id_)
    number, pin = form.get("number"), (form.get("pin") or "").strip()
    if number is None or not pin:
        return None
    return await ecps.approve(provider, session, space.name, id_, number=number, pin=pin)


def _here(request: Request, person: str | None, more: Mapping[str, str | int] | None = None) -> str:
    query = {**({"person": person} if person else {}), **(more or {})}
    return f"{prefix_of(request)}{PHONE}" + (f"?{urlencode(query)}" if query else "")
