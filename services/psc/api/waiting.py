"""The page that shows the two digits and waits for the phone (spec: psc.md §6.2)."""

from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from services.psc.api import phone
from services.psc.api.answers import address_of, approved
from services.psc.api.context import CurrentProvider, prefix_of, query_of
from services.psc.api.faults import faults_of
from services.psc.api.login import AUTHENTICATE, WAITING, client_of, page_of, waiting_address
from services.psc.api.pages import page
from services.psc.domain.parameters import Parameters
from services.psc.service import logins, waiting
from socle.clock import wall

router = APIRouter(tags=["login page"], include_in_schema=False)


@router.get(WAITING)
async def wait(request: Request, provider: CurrentProvider) -> Response:
    """Ends the login as soon as the phone has approved, so that a reload is all the page needs."""
    parameters = query_of(request)
    opened, id_ = await page_of(request, provider, parameters), _request_id(parameters)
    async with provider.kernel.database.write() as session:
        outcome = await waiting.finish(provider, session, opened, id_)
        if isinstance(outcome, waiting.LoggedIn):
            address = address_of(outcome.request)
            faults = faults_of(request, provider, opened.space, outcome.request.client_id)
            return approved(request, provider, address, outcome.issuer, outcome.approved, faults)
        client = await client_of(session, opened)
    fields = {"login": opened.login, "space": opened.space.name}
    action = prefix_of(request) + AUTHENTICATE
    return page(
        "waiting.html",
        script="waiting.js",
        client=client,
        number=outcome.number,
        verdict=outcome.verdict(wall()),
        status_address=waiting_address(request, opened, id_, "/status"),
        phone=phone.address(request, outcome.space, outcome.national_id),
        login_page=f"{action}?{urlencode(fields)}",
        fields=fields,
        action=action,
        again=f"PHONE:{outcome.national_id}",
    )


@router.get(f"{WAITING}/status")
async def status(request: Request, provider: CurrentProvider) -> Response:
    """For the page's script, which reloads once the answer is no longer `pending`."""
    parameters = query_of(request)
    opened, id_ = await page_of(request, provider, parameters), _request_id(parameters)
    async with provider.kernel.database.read() as session:
        found = await waiting.look(session, opened, id_)
    return JSONResponse({"status": found.verdict(wall())}, headers={"Cache-Control": "no-store"})


def _request_id(parameters: Parameters) -> UUID:
    try:
        return UUID(parameters.get("request") or "")
    except ValueError as error:
        raise logins.page_expired() from error
