"""Which client speaks, and in which space."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.client import Client
from services.psc.domain.enrolment import Enrolment
from services.psc.domain.refusals import OAuthError
from services.psc.repository import clients
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.idgen import secret_token

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REFUSED = "Invalid client or Invalid client credentials"


async def find(
    session: AsyncSession, explicit_space: str | None, default_space: str, client_id: str
) -> Client | None:
    """In the space of the path; without one, wherever the client is registered."""
    if not _CLIENT_ID.fullmatch(client_id):
        return None
    if explicit_space is not None:
        return await clients.find(session, explicit_space, client_id)
    return await clients.find_anywhere(session, client_id, default_space)


def check_credentials(client: Client | None, secret: str | None, *, by_header: bool) -> Client:
    """The authenticated client. Error codes as Keycloak splits them (spec: psc.md §9)."""
    headers = {"WWW-Authenticate": 'Basic realm="esante-wallet"'} if by_header else {}
    if client is None:
        raise OAuthError(
            "invalid_client",
            _REFUSED,
            "No such client here; a client belongs to one space, see GET /_sandbox/psc/clients.",
            status=401,
            headers=headers,
        )
    if client.secret_digest is None and secret is None:
        return client
    if secret is None or not client.knows_secret(secret):
        raise OAuthError(
            "unauthorized_client",
            _REFUSED,
            "Send the client's secret by HTTP Basic (client_secret_basic) or as client_secret in "
            "the form (client_secret_post).",
            status=401,
            headers=headers,
        )
    return client


async def enrol(
    session: WriteSession, space: str, enrolment: Enrolment
) -> tuple[Client, str | None]:
    """The client, effective at once, and its secret, which is told this one time."""
    secret = None if enrolment.public else (enrolment.secret or secret_token())
    client = Client(
        space=space,
        client_id=enrolment.client_id,
        name=enrolment.name,
        secret_digest=None if secret is None else secrets.digest(secret),
        redirect_uris=enrolment.redirect_uris,
        post_logout_redirect_uris=enrolment.post_logout_redirect_uris,
        loopback=enrolment.loopback,
        pkce=enrolment.pkce,
    )
    if not await clients.insert(session, client):
        raise DomainError(
            Category.CONFLICT,
            "client_exists",
            f"This space has a client {enrolment.client_id} already; choose another client_id.",
        )
    return client, secret
