"""Pushed authorization requests (RFC 9126): kept under a name that is good once."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.authorization import read_request
from services.psc.domain.client import Client
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError, PageError
from services.psc.provider import Provider
from services.psc.repository import pushed
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import secret_token

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
_OF_THE_CLIENT: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


async def push(
    provider: Provider, session: WriteSession, client: Client, parameters: Parameters
) -> str:
    """The request's name. What is wrong with it is said now, as JSON (RFC 9126 §2.3)."""
    if parameters.get("request_uri") is not None:
        raise OAuthError(
            "invalid_request",
            "It is not allowed to include request_uri to PAR.",
            "Push the parameters themselves (RFC 9126 2.1).",
        )
    asked = {n: value for n, value in parameters.values.items() if n not in _OF_THE_CLIENT}
    asked["client_id"] = client.client_id
    try:
        read_request(Parameters(asked), client)
    except OAuthError as error:
        raise OAuthError(error.code, error.detail, error.hint) from error
    name = secret_token()
    expires = wall() + provider.lifetimes.pushed
    digest = secrets.digest(name)
    await pushed.insert(session, client.space, digest, client.client_id, asked, expires)
    return PREFIX + name


def is_pushed(parameters: Parameters) -> bool:
    return (parameters.get("request_uri") or "").startswith(PREFIX)


async def resolve(session: AsyncSession, client: Client, parameters: Parameters) -> Parameters:
    """What was pushed takes the place of whatever else the address says (RFC 9126 §4)."""
    found = await pushed.find(session, client.space, _digest(parameters), client.client_id, wall())
    if found is None:
        raise _not_found()
    return Parameters(found)


async def take(session: WriteSession, client: Client, parameters: Parameters) -> None:
    """Of two browsers with the same name, one goes on."""
    if not await pushed.take(session, client.space, _digest(parameters)):
        raise _not_found()


def _digest(parameters: Parameters) -> bytes:
    return secrets.digest((parameters.get("request_uri") or "").removeprefix(PREFIX))


def _not_found() -> PageError:
    return PageError(
        "invalid_request",
        "PAR not found. not issued or used multiple times.",
        "Ce request_uri est inconnu, a déjà servi, a expiré ou appartient à un autre client : "
        "l’application doit en demander un nouveau.",
    )
