"""The authorization endpoint, under the wallet's address and the realm's."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.psc.api import login
from services.psc.api.answers import approved, refused, set_cookie
from services.psc.api.context import (
    BROWSER_COOKIE,
    SESSION_COOKIE,
    CurrentProvider,
    explicit_space,
    form_of,
    prefix_of,
    query_of,
)
from services.psc.api.faults import faults_of
from services.psc.api.forms import AUTHORIZATION, form_body, query
from services.psc.domain.authorization import read_request, return_address
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError, PageError, RedirectError
from services.psc.hot import login as hot
from services.psc.provider import Provider
from services.psc.service import logins, pushed
from socle.auth.tokens import REALM_PATH
from socle.idgen import secret_token
from socle.spaces import Space

router = APIRouter(tags=["authorization"])


@router.get("/auth", openapi_extra=query(AUTHORIZATION))
@router.get("/auth/", include_in_schema=False)
@router.get(f"{REALM_PATH}/protocol/openid-connect/auth", openapi_extra=query(AUTHORIZATION))
async def authorize(request: Request, provider: CurrentProvider) -> Response:
    try:
        parameters = query_of(request)
    except OAuthError as error:
        raise _unreadable(error) from error
    return await _authorize(request, provider, parameters)


@router.post("/auth", openapi_extra=form_body(AUTHORIZATION))
@router.post("/auth/", include_in_schema=False)
@router.post(f"{REALM_PATH}/protocol/openid-connect/auth", openapi_extra=form_body(AUTHORIZATION))
async def authorize_by_form(request: Request, provider: CurrentProvider) -> Response:
    """OpenID Connect Core §3.1.2.1: the same request in a body."""
    try:
        parameters = await form_of(request)
    except OAuthError as error:
        raise _unreadable(error) from error
    return await _authorize(request, provider, parameters)


def _unreadable(error: OAuthError) -> PageError:
    return PageError(
        error.code,
        error.detail,
        "Les paramètres de la demande sont illisibles : au plus 100, en UTF-8, encodés comme un "
        "formulaire (application/x-www-form-urlencoded).",
    )


async def _authorize(request: Request, provider: Provider, parameters: Parameters) -> Response:
    issuer = provider.issuer(prefix_of(request))
    browser = request.cookies.get(BROWSER_COOKIE) or secret_token()
    kernel = provider.kernel
    client = await _known_client(request, provider, parameters)
    if asked_ahead := pushed.is_pushed(parameters):
        async with kernel.database.read() as reading:
            name, parameters = parameters, await pushed.resolve(reading, client, parameters)
    address = return_address(parameters, client)
    space = await kernel.spaces.get(client.space)
    faults = faults_of(request, provider, space, client.client_id)
    await faults.strike()
    if not (space.faults or asked_ahead or request.cookies.get(SESSION_COOKIE)):
        approval = await _at_once(provider, client, space, parameters, issuer)
        if approval is not None:
            return approved(request, provider, address, issuer, approval, faults)
    async with kernel.database.write() as session:
        if asked_ahead:
            await pushed.take(session, client, name)
        try:
            asked = read_request(parameters, client)
            outcome = await logins.authorize(
                provider,
                session,
                space,
                asked,
                issuer,
                request.cookies.get(SESSION_COOKIE),
                browser,
            )
        except RedirectError as error:
            return refused(request, address, issuer, error)
        if isinstance(outcome, logins.Approved):
            return approved(request, provider, address, issuer, outcome, faults)
        answer = await login.show(
            request,
            provider,
            session,
            client,
            outcome.login,
            tab="delegation" if parameters.get("kc_idp_hint") else login.FIRST_TAB,
            message=outcome.message,
        )
    set_cookie(answer, request, provider, BROWSER_COOKIE, browser)
    return answer


async def _at_once(
    provider: Provider, client: Client, space: Space, parameters: Parameters, issuer: str
) -> logins.Approved | None:
    """None when something is wrong, or a page is needed: then the longer way does it."""
    try:
        asked = read_request(parameters, client)
    except RedirectError:
        return None
    return await hot.by_hint(provider, space, asked, issuer)


async def _known_client(request: Request, provider: Provider, parameters: Parameters) -> Client:
    client_id = parameters.get("client_id")
    if client_id is None or "client_id" in parameters.repeated:
        raise PageError(
            "invalid_request",
            "Missing parameter: client_id",
            "La demande doit porter client_id, une seule fois.",
        )
    client = await provider.clients.get(explicit_space(request), client_id)
    if client is None:
        raise PageError(
            "invalid_client",
            "Client not found.",
            "Ce client_id n’est pas enregistré dans cet espace ; POST /_sandbox/psc/clients "
            "l’enregistre, avec effet immédiat.",
        )
    return client
