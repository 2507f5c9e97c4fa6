"""The authorization endpoint, under the wallet's address and the realm's, and its login page."""

from typing import cast
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.psc.api.context import (
    BROWSER_COOKIE,
    SESSION_COOKIE,
    CurrentProvider,
    explicit_space,
    form_of,
    prefix_of,
    query_of,
)
from services.psc.api.pages import page
from services.psc.domain.authorization import ReturnAddress, read_request, return_address
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError, PageError, RedirectError
from services.psc.domain.session import AuthMode
from services.psc.provider import Provider
from services.psc.repository import people
from services.psc.service import clients, logins
from socle.auth.tokens import REALM_PATH
from socle.db.database import ReadSession
from socle.idgen import secret_token

router = APIRouter(tags=["authorization"])
AUTHENTICATE = f"{REALM_PATH}/login-actions/authenticate"
PEOPLE_ON_PAGE = 200
MODES = ("CARD", "MOBILE")


@router.get("/auth")
@router.get("/auth/", include_in_schema=False)
@router.get(f"{REALM_PATH}/protocol/openid-connect/auth")
async def authorize(request: Request, provider: CurrentProvider) -> Response:
    try:
        parameters = query_of(request)
    except OAuthError as error:
        raise _unreadable(error) from error
    return await _authorize(request, provider, parameters)


@router.post("/auth")
@router.post("/auth/", include_in_schema=False)
@router.post(f"{REALM_PATH}/protocol/openid-connect/auth")
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
    async with kernel.database.read() as reading:
        client = await _known_client(request, provider, reading, parameters)
    address = return_address(parameters, client)
    space = await kernel.spaces.get(client.space)
    async with kernel.database.write() as session:
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
            return _refused(request, address, issuer, error)
        if isinstance(outcome, logins.Approved):
            return _approved(request, provider, address, issuer, outcome)
        shown = await people.list_all(session, client.space, PEOPLE_ON_PAGE)
    answer = page(
        "login.html",
        client=client,
        people=[person for person in shown if person.enabled],
        login=outcome.login,
        message=outcome.message,
        space=client.space,
        action=prefix_of(request) + AUTHENTICATE,
    )
    _set_cookie(answer, request, provider, BROWSER_COOKIE, browser)
    return answer


async def _known_client(
    request: Request, provider: Provider, session: ReadSession, parameters: Parameters
) -> Client:
    client_id = parameters.get("client_id")
    if client_id is None or "client_id" in parameters.repeated:
        raise PageError(
            "invalid_request",
            "Missing parameter: client_id",
            "La demande doit porter client_id, une seule fois.",
        )
    client = await clients.find(
        session, explicit_space(request), provider.settings.default_space, client_id
    )
    if client is None:
        raise PageError(
            "invalid_client",
            "Client not found.",
            "Ce client_id n’est pas enregistré dans cet espace ; POST /_sandbox/psc/clients "
            "l’enregistre, avec effet immédiat.",
        )
    return client


@router.post(AUTHENTICATE, include_in_schema=False)
async def authenticate(request: Request, provider: CurrentProvider) -> Response:
    """The login page's form. The cookie ties the answer to the browser that asked."""
    form = await form_of(request)
    if not provider.settings.sandbox:
        raise PageError(
            "access_denied",
            "Test people can be chosen in sandbox mode only",
            "Le choix d’un professionnel de test n’existe qu’en mode bac à sable (SOCLE_SANDBOX).",
        )
    login, space, choice = form.get("login"), form.get("space"), _choice(form.get("choice"))
    browser = request.cookies.get(BROWSER_COOKIE)
    if login is None or space is None or browser is None:
        raise PageError(
            "invalid_request",
            "Cookie not found. Please make sure cookies are enabled in your browser.",
            "Le navigateur n’a pas renvoyé le cookie de cette page : autorisez les cookies, puis "
            "recommencez depuis l’application.",
        )
    if explicit_space(request) not in (None, space):
        raise PageError(
            "invalid_request",
            "Page has expired",
            "Cette page de connexion appartient à un autre espace : recommencez depuis "
            "l’application.",
        )
    world = await provider.kernel.spaces.get(space)
    async with provider.kernel.database.write() as session:
        asked, issuer, outcome = await logins.answer_page(
            provider, session, world, login, browser, choice
        )
    address = ReturnAddress(asked.redirect_uri, asked.response_mode, asked.state)
    if isinstance(outcome, RedirectError):
        return _refused(request, address, issuer, outcome)
    return _approved(request, provider, address, issuer, outcome)


def _choice(value: str | None) -> tuple[AuthMode, str] | None:
    """`MOBILE:<national id>` or `CARD:<national id>`; `cancel` gives up."""
    if value == "cancel":
        return None
    mode, _, national_id = (value or "").partition(":")
    if mode not in MODES or not national_id.isascii() or not national_id.isprintable():
        raise PageError(
            "invalid_request",
            "Invalid username or password.",
            "Choisissez un professionnel de la page précédente.",
        )
    return cast(AuthMode, mode), national_id


def _approved(
    request: Request,
    provider: Provider,
    address: ReturnAddress,
    issuer: str,
    approved: logins.Approved,
) -> Response:
    """`iss` (RFC 9207) and `session_state` come with the code, as PSC sends them."""
    answer = {"session_state": str(approved.session_id), "iss": issuer, "code": approved.code}
    response = _redirect(request, address, answer)
    if approved.cookie is not None:
        _set_cookie(response, request, provider, SESSION_COOKIE, approved.cookie)
    return response


def _refused(
    request: Request, address: ReturnAddress, issuer: str, error: RedirectError
) -> Response:
    request.state.refusal = error  # the journal shows why, although the answer is a redirect
    answer = {"error": error.code, "error_description": error.detail, "iss": issuer}
    if error.hint:
        answer["socle_hint"] = error.hint  # clients ignore what they do not know (RFC 6749 §4.1.2)
    return _redirect(request, address, answer)


def _redirect(request: Request, address: ReturnAddress, answer: dict[str, str]) -> Response:
    if address.state is not None:
        answer = {"state": address.state, **answer}
    mark = "#" if address.response_mode == "fragment" else "?"
    if mark == "?" and "?" in address.redirect_uri:
        mark = "" if address.redirect_uri.endswith(("?", "&")) else "&"
    status = 303 if request.method == "POST" else 302  # 303: the form is not posted again
    return RedirectResponse(
        f"{address.redirect_uri}{mark}{urlencode(answer)}",
        status,
        {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


def _set_cookie(
    response: Response, request: Request, provider: Provider, name: str, value: str
) -> None:
    """Sent to this space's realm only, out of reach of scripts and of other sites' posts."""
    response.set_cookie(
        name,
        value,
        path=f"{prefix_of(request)}/auth",
        secure=provider.settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
