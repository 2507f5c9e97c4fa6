"""The login page that waits for a phone: the request that it sends, and what comes of it.

The page polls; what the person decides meanwhile is service/ecps.py's matter.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.authorization import AuthorizationRequest
from services.psc.domain.ecps import AuthenticationRequest
from services.psc.provider import Provider
from services.psc.repository import clients, requests
from services.psc.service import logins
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Where the browser goes, and the code that it brings."""

    request: AuthorizationRequest
    issuer: str
    approved: logins.Approved


async def ask(
    provider: Provider,
    session: WriteSession,
    page: logins.OpenPage,
    national_id: str,
) -> AuthenticationRequest:
    """Sends the request to the person's phone; the login page stays open for another choice."""
    person = await logins.chosen_person(session, page.space.name, national_id)
    # The number is drawn apart from the id, which the phone's page shows in its address.
    id_, number = random_uuid(), f"{random_uuid().int % 100:02d}"
    request = AuthenticationRequest.pending(
        space=page.space.name,
        id_=id_,
        client_id=page.request.client_id,
        national_id=person.SubjectNameID,
        channel="MOBILE",
        number=number,
        scope=page.request.scope,
        issuer=page.issuer,
        now=wall(),
        expiry=provider.lifetimes.ciba,
    )
    client = await clients.find(session, page.space.name, page.request.client_id)
    if client is not None and client.auto_approve:
        request = replace(request, status="approved")
    await requests.insert(session, request, secrets.digest(page.login))
    return request


async def look(session: AsyncSession, page: logins.OpenPage, id_: UUID) -> AuthenticationRequest:
    """How the page's request stands; it changes nothing."""
    request = await requests.find_of_page(session, page.space.name, id_, secrets.digest(page.login))
    if request is None:
        raise logins.page_expired()
    return request


async def finish(
    provider: Provider, session: WriteSession, page: logins.OpenPage, id_: UUID
) -> LoggedIn | AuthenticationRequest:
    """The login once it is approved; until then, and after any other end, the request as it is.

    The page is taken together with the request, so that two tabs that ask at once get one code.
    """
    now = wall()
    request = await requests.lock_of_page(session, page.space.name, id_, secrets.digest(page.login))
    if request is None:
        raise logins.page_expired()
    if request.verdict(now) != "approved":
        return request
    await logins.take_page(session, page, now)
    await requests.decide(session, request, "used", request.wrong_numbers)
    person = await logins.chosen_person(session, page.space.name, request.national_id)
    approved = await logins.log_in(
        provider, session, page.space, page.request, page.issuer, person, request.channel, now
    )
    return LoggedIn(page.request, page.issuer, approved)
