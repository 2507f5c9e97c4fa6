"""The login page: e-CPS, card, delegated provider; and what the person chose on it."""

from typing import Final, Literal, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.psc.api.answers import address_of, approved, refused
from services.psc.api.context import (
    BROWSER_COOKIE,
    CurrentProvider,
    explicit_space,
    form_of,
    prefix_of,
    query_of,
)
from services.psc.api.faults import faults_of
from services.psc.api.pages import page
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import ChoiceError, PageError
from services.psc.domain.session import AuthMode
from services.psc.provider import Provider
from services.psc.repository import clients, people
from services.psc.service import ecps, logins, waiting
from socle.auth.tokens import REALM_PATH

Tab = Literal["e-cps", "carte", "delegation"]
Method = Literal["MOBILE", "PHONE", "CARD", "DELEGATED"]

router = APIRouter(tags=["login page"], include_in_schema=False)
AUTHENTICATE: Final = f"{REALM_PATH}/login-actions/authenticate"
WAITING: Final = f"{REALM_PATH}/login-actions/e-cps"
FIRST_TAB: Final[Tab] = "e-cps"
PEOPLE_ON_PAGE: Final = 50
_TAB_OF: Final[dict[Method, Tab]] = {
    "MOBILE": "e-cps",
    "PHONE": "e-cps",
    "CARD": "carte",
    "DELEGATED": "delegation",
}


async def show(
    request: Request,
    provider: Provider,
    session: AsyncSession,
    client: Client,
    login: str,
    *,
    tab: Tab = FIRST_TAB,
    message: str = "",
    status: int = 200,
    sought: str = "",
) -> HTMLResponse:
    """The first test people of the space; among many, those whose name or identifier is sought."""
    if sought:
        shown = await people.search(session, client.space, sought, PEOPLE_ON_PAGE)
    else:
        shown = await people.list_all(session, client.space, PEOPLE_ON_PAGE + 1)
    many = bool(sought) or len(shown) > PEOPLE_ON_PAGE
    fields = {"login": login, "space": client.space}
    action = prefix_of(request) + AUTHENTICATE
    return page(
        "login.html",
        status,
        client=client,
        people=[person for person in shown[:PEOPLE_ON_PAGE] if person.enabled],
        many=many,
        sought=sought,
        fields=fields,
        message=message,
        action=action,
        tab=tab,
        tabs={name: f"{action}?{urlencode({**fields, 'tab': name})}" for name in get_args(Tab)},
        pin=provider.settings.psc_phone_pin,
    )


@router.get(AUTHENTICATE)
async def show_tab(request: Request, provider: CurrentProvider) -> Response:
    """The page that is open already, with another tab in front."""
    parameters = query_of(request)
    opened = await page_of(request, provider, parameters)
    asked = parameters.get("tab")
    tab: Tab = next((name for name in get_args(Tab) if name == asked), FIRST_TAB)
    return await _again(request, provider, opened, tab, sought=_sought(parameters))


def _sought(parameters: Parameters) -> str:
    return "".join(letter for letter in parameters.get("q") or "" if letter.isprintable())[:100]


@router.post(AUTHENTICATE)
async def authenticate(request: Request, provider: CurrentProvider) -> Response:
    """The page's form. The cookie ties the answer to the browser that opened the page."""
    form = await form_of(request)
    opened = await page_of(request, provider, form)
    if form.get("choice") == "cancel":
        async with provider.kernel.database.write() as session:
            error = await logins.give_up(session, opened)
        return refused(request, address_of(opened.request), opened.issuer, error)
    tab = FIRST_TAB
    try:
        method, national_id = _choice(form)
        tab = _TAB_OF[method]
        if method == "PHONE":
            return await _ask_phone(request, provider, opened, national_id)
        if method == "DELEGATED" and form.get("confirm") is None:
            return await _ask_confirmation(request, provider, opened, national_id)
        approval = await _log_in(provider, opened, method, national_id, form.get("pin"))
    except ChoiceError as error:
        request.state.refusal = error
        return await _again(request, provider, opened, tab, error)
    faults = faults_of(request, provider, opened.space, opened.request.client_id)
    return approved(request, provider, address_of(opened.request), opened.issuer, approval, faults)


async def page_of(request: Request, provider: Provider, parameters: Parameters) -> logins.OpenPage:
    """The page that these parameters and this browser's cookie name together."""
    if not provider.settings.sandbox:
        raise PageError(
            "access_denied",
            "Test people can be chosen in sandbox mode only",
            "Le choix d’un professionnel de test n’existe qu’en mode bac à sable (SOCLE_SANDBOX).",
        )
    login, space = parameters.get("login"), parameters.get("space")
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
    async with provider.kernel.database.read() as session:
        return await logins.open_page(session, world, login, browser)


async def _again(
    request: Request,
    provider: Provider,
    opened: logins.OpenPage,
    tab: Tab,
    error: ChoiceError | None = None,
    sought: str = "",
) -> Response:
    async with provider.kernel.database.read() as session:
        client = await client_of(session, opened)
        return await show(
            request,
            provider,
            session,
            client,
            opened.login,
            tab=tab,
            message=error.hint if error else "",
            status=error.status if error else 200,
            sought=sought,
        )


async def client_of(session: AsyncSession, opened: logins.OpenPage) -> Client:
    client = await clients.find(session, opened.space.name, opened.request.client_id)
    if client is None:  # it was removed while the page was open
        raise logins.page_expired()
    return client


def _choice(form: Parameters) -> tuple[Method, str]:
    """`<method>:<national id>` of a person's own button, or the method with a typed identifier."""
    named, _, chosen = (form.get("choice") or "").partition(":")
    national_id = chosen or (form.get("national_id") or "").strip()
    method: Method | None = next((name for name in get_args(Method) if name == named), None)
    if method is None or not national_id.isascii() or not national_id.isprintable():
        raise ChoiceError(
            "invalid_request",
            "Invalid username or password.",
            "Choisissez un professionnel de la liste, ou saisissez son identifiant national.",
        )
    return method, national_id


async def _ask_phone(
    request: Request, provider: Provider, opened: logins.OpenPage, national_id: str
) -> Response:
    async with provider.kernel.database.write() as session:
        asked = await waiting.ask(provider, session, opened, national_id)
    return RedirectResponse(waiting_address(request, opened, asked.id), 303)


def waiting_address(request: Request, opened: logins.OpenPage, id_: UUID, suffix: str = "") -> str:
    query = urlencode({"login": opened.login, "space": opened.space.name, "request": str(id_)})
    return f"{prefix_of(request)}{WAITING}{suffix}?{query}"


async def _ask_confirmation(
    request: Request, provider: Provider, opened: logins.OpenPage, national_id: str
) -> Response:
    """A delegated login ends with PSC's own question (spec: psc.md §6.2 and §6.4)."""
    async with provider.kernel.database.read() as session:
        client = await client_of(session, opened)
        person = await logins.chosen_person(session, opened.space.name, national_id)
    return page(
        "confirm.html",
        client=client,
        person=person,
        fields={"login": opened.login, "space": opened.space.name, "confirm": "1"},
        action=prefix_of(request) + AUTHENTICATE,
    )


async def _log_in(
    provider: Provider,
    opened: logins.OpenPage,
    mode: AuthMode,
    national_id: str,
    pin: str | None,
) -> logins.Approved:
    """The card's PIN is looked at when the form has one; what a wrong one counts is committed."""
    refusal: ecps.Answer | None = None
    async with provider.kernel.database.write() as session:
        if mode == "CARD" and pin is not None:
            person = await logins.chosen_person(session, opened.space.name, national_id)
            refusal = await ecps.check_card_pin(
                provider, session, opened.space.name, person.SubjectNameID, pin
            )
        if refusal is None:
            return await logins.answer_page(provider, session, opened, mode, national_id)
    raise ChoiceError("access_denied", "Invalid username or password.", _card_refusal(refusal))


def _card_refusal(refusal: ecps.Answer) -> str:
    if refusal.outcome == "locked":
        return (
            "Carte bloquée : trop de codes PIN faux. Réessayez plus tard ou prenez une autre carte."
        )
    return f"Code PIN faux. Essais restants : {refusal.tries_left}."
