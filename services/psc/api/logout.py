"""The end of a session (spec: psc.md §4): hinted, confirmed on a page, or by refresh token."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.psc.api.client_authentication import authenticate
from services.psc.api.context import (
    SESSION_COOKIE,
    CurrentProvider,
    explicit_space,
    form_of,
    prefix_of,
    query_of,
)
from services.psc.api.faults import faults_of
from services.psc.api.pages import page
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError, PageError
from services.psc.provider import Provider
from services.psc.service import logout
from socle.auth.tokens import REALM_PATH

router = APIRouter(tags=["logout"])
LOGOUT = f"{REALM_PATH}/protocol/openid-connect/logout"


@router.get(LOGOUT)
async def log_out(request: Request, provider: CurrentProvider) -> Response:
    return await _log_out(request, provider, _checked(query_of(request)), confirmed=False)


@router.post(LOGOUT)
async def log_out_by_form(request: Request, provider: CurrentProvider) -> Response:
    """The page's confirmation, a relying party's form, or Keycloak's POST of a refresh token."""
    form = await form_of(request)
    if form.get("refresh_token") is not None:
        return await _log_out_by_token(request, provider, form)
    confirmed = form.get("confirm") is not None
    return await _log_out(request, provider, _checked(form), confirmed=confirmed)


def _checked(parameters: Parameters) -> dict[str, str]:
    if parameters.repeated:
        raise PageError(
            "invalid_request", "duplicated parameter", "Envoyez chaque paramètre une seule fois."
        )
    return parameters.values


async def _log_out(
    request: Request, provider: Provider, parameters: dict[str, str], *, confirmed: bool
) -> Response:
    """Without a hint anyone could have sent the browser here: the person confirms.

    The confirmation needs no token of its own: the session cookie is SameSite=Lax, so another
    site's form does not carry it.
    """
    kernel = provider.kernel
    async with kernel.database.read() as reading:
        asked = await logout.read_request(provider, reading, explicit_space(request), parameters)
    if asked.session_id is None and not confirmed:
        return page("logout.html", action=prefix_of(request) + LOGOUT, parameters=parameters)
    space = await kernel.spaces.get(asked.space)
    async with kernel.database.write() as session:
        if asked.session_id is not None:
            await logout.end_hinted(session, space, asked.session_id)
        else:
            cookie = request.cookies.get(SESSION_COOKIE)
            await logout.end_of_browser(provider, session, space, cookie)
    if faults_of(request, provider, space, asked.client_id).effect("drop_state"):
        asked = replace(asked, state=None)
    response = _goodbye(request, asked)
    response.delete_cookie(SESSION_COOKIE, path=f"{prefix_of(request)}/auth")
    return response


def _goodbye(request: Request, asked: logout.LogoutRequest) -> Response:
    if asked.redirect_uri is None:
        return page("closed.html")
    uri = asked.redirect_uri
    if asked.state is not None:
        uri += ("&" if "?" in uri else "?") + urlencode({"state": asked.state})
    status = 303 if request.method == "POST" else 302
    return RedirectResponse(uri, status, {"Cache-Control": "no-store"})


async def _log_out_by_token(request: Request, provider: Provider, form: Parameters) -> Response:
    if form.repeated:
        raise OAuthError("invalid_request", "duplicated parameter", "Send each parameter once.")
    kernel = provider.kernel
    client = await authenticate(provider, request, form)
    async with kernel.database.read() as reading:
        session_id = await logout.session_of_refresh_token(
            reading, client, form.values["refresh_token"]
        )
    space = await kernel.spaces.get(client.space)
    async with kernel.database.write() as session:
        await logout.end_hinted(session, space, session_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
