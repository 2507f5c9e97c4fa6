"""From an authorization request to a code: silently, by hint, or through the login page."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.authorization import AuthorizationRequest
from services.psc.domain.refusals import ChoiceError, PageError, RedirectError
from services.psc.domain.session import AuthMode, Grant, Session
from services.psc.provider import Provider
from services.psc.repository import grants, people
from services.psc.repository import sessions as rows
from services.psc.service import sessions
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Approved:
    """A code to send back; `cookie` is set when a session has just been opened."""

    code: str
    session_id: UUID
    cookie: str | None
    person: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageNeeded:
    """The person must choose; `login` names the request in the page's form."""

    login: str
    message: str


async def authorize(
    provider: Provider,
    session: WriteSession,
    space: Space,
    request: AuthorizationRequest,
    issuer: str,
    cookie: str | None,
    browser: str,
) -> Approved | PageNeeded:
    """`cookie` is the session's, `browser` the one that will bind a login page to this browser."""
    now = wall()
    current = await sessions.of_cookie(provider, session, space, cookie, now)
    hinted = await _hinted(provider, session, space, request)
    if current is not None and _is_enough(current, request, hinted, now):
        await rows.touch(session, space.name, current.id, now)
        code = await _grant(provider, session, current, request, issuer, now)
        return Approved(code, current.id, None, current.national_id)
    if "none" in request.prompt:
        raise RedirectError(
            "login_required",
            "User is not logged in",
            "prompt=none succeeds only while the browser has a live PSC session.",
        )
    if not provider.settings.sandbox:
        raise RedirectError(
            "temporarily_unavailable",
            "No authentication device is available",
            "Test people can be chosen in sandbox mode only (SOCLE_SANDBOX).",
        )
    if hinted is not None and "login" not in request.prompt:
        return await log_in(provider, session, space, request, issuer, hinted, "MOBILE", now)
    login = secret_token()
    pending = rows.PendingLogin(request.as_json(), issuer)
    expires = now + provider.lifetimes.login_page
    digests = secrets.digest(login), secrets.digest(browser)
    await rows.insert_login(session, space.name, *digests, pending, expires)
    unknown = bool(request.login_hint) and hinted is None
    message = "Aucun professionnel de cet espace ne porte l’identifiant demandé." if unknown else ""
    return PageNeeded(login, message)


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A login page that was found for the browser that opened it, and that waits for a choice."""

    space: Space
    login: str = field(repr=False)
    browser: str = field(repr=False)
    request: AuthorizationRequest
    issuer: str


async def open_page(session: AsyncSession, space: Space, login: str, browser: str) -> OpenPage:
    digests = secrets.digest(login), secrets.digest(browser)
    pending = await rows.find_login(session, space.name, *digests, wall())
    if pending is None:
        raise page_expired()
    request = AuthorizationRequest.from_json(pending.request)
    return OpenPage(space, login, browser, request, pending.issuer)


async def take_page(session: WriteSession, page: OpenPage, now: datetime) -> None:
    """A page is answered once: of two answers at the same time, one finds it gone."""
    digests = secrets.digest(page.login), secrets.digest(page.browser)
    if await rows.take_login(session, page.space.name, *digests, now) is None:
        raise page_expired()


async def give_up(session: WriteSession, page: OpenPage) -> RedirectError:
    await take_page(session, page, wall())
    return RedirectError("access_denied", "User denied access")


async def answer_page(
    provider: Provider, session: WriteSession, page: OpenPage, mode: AuthMode, national_id: str
) -> Approved:
    """What the person chose. A refused choice rolls back, so that another can be made."""
    now = wall()
    await take_page(session, page, now)
    person = await chosen_person(session, page.space.name, national_id)
    return await log_in(provider, session, page.space, page.request, page.issuer, person, mode, now)


async def chosen_person(session: AsyncSession, space: str, national_id: str) -> Person:
    """Raises ChoiceError for someone who is unknown here, or disabled."""
    person = await people.find(session, space, national_id)
    if person is None or not person.enabled:
        raise ChoiceError(
            "access_denied",
            "Account is disabled, contact your administrator." if person else "Invalid username.",
            "Cet identifiant n’est pas celui d’un professionnel actif de cet espace : choisissez-en un "
            "autre.",
        )
    return person


def page_expired() -> PageError:
    return PageError(
        "invalid_request",
        "Page has expired",
        "Cette page de connexion a déjà servi, est trop ancienne ou a été ouverte dans un autre "
        "navigateur : recommencez depuis l’application.",
    )


def _is_enough(
    current: Session, request: AuthorizationRequest, hinted: Person | None, now: datetime
) -> bool:
    """Whether the running session answers the request without asking again."""
    if "login" in request.prompt or "select_account" in request.prompt:
        return False
    if hinted is not None and hinted.SubjectNameID != current.national_id:
        return False
    age = (now - current.started_at).total_seconds()
    return request.max_age is None or age <= request.max_age


async def _hinted(
    provider: Provider, session: WriteSession, space: Space, request: AuthorizationRequest
) -> Person | None:
    """The person of `login_hint`, whose e-CPS the sandbox approves by itself."""
    if not request.login_hint or not provider.settings.sandbox:
        return None
    person = await people.find(session, space.name, request.login_hint)
    if person is not None and not person.enabled:
        raise RedirectError("access_denied", "User disabled", "Choose an enabled test person.")
    return person


async def log_in(
    provider: Provider,
    session: WriteSession,
    space: Space,
    request: AuthorizationRequest,
    issuer: str,
    person: Person,
    mode: AuthMode,
    now: datetime,
) -> Approved:
    opened, cookie = await sessions.open_session(
        provider, session, space, person, mode, request.client_id, now
    )
    code = await _grant(provider, session, opened, request, issuer, now)
    return Approved(code, opened.id, cookie, person.SubjectNameID)


async def _grant(
    provider: Provider,
    session: WriteSession,
    current: Session,
    request: AuthorizationRequest,
    issuer: str,
    now: datetime,
) -> str:
    """Stores the grant and returns its code, in Keycloak's form: secret.session.client."""
    grant = Grant(
        space=current.space,
        id=random_uuid(),
        session_id=current.id,
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        scope=request.scope,
        nonce=request.nonce,
        acr=provider.acr_of(current.auth_mode),
        issuer=issuer,
        challenge=request.challenge,
        challenge_method=request.challenge_method,
        code_expires_at=now + provider.lifetimes.code,
        code_used_at=None,
        revoked_at=None,
    )
    code = f"{secret_token()}.{current.id}.{grant.id}"
    await grants.insert(session, grant, secrets.digest(code))
    return code
