"""Enrolment of relying parties."""

from services.psc.domain import secrets
from services.psc.domain.client import SECRET_METHODS, Client
from services.psc.domain.enrolment import Enrolment
from services.psc.repository import clients, grants
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.idgen import secret_token


async def enrol(
    session: WriteSession, space: str, enrolment: Enrolment
) -> tuple[Client, str | None]:
    """The client, effective at once, and its secret, which is told this one time."""
    client, secret = _of(space, enrolment, None)
    if not await clients.insert(session, client):
        raise DomainError(
            Category.CONFLICT,
            "client_exists",
            f"This space has a client {enrolment.client_id} already; choose another client_id, or "
            "PUT replaces it.",
        )
    return client, secret


async def replace(
    session: WriteSession, space: str, enrolment: Enrolment
) -> tuple[Client, str | None]:
    """As `enrol`, over a former one. A secret that is left out stays; None then, it is not known."""
    former = await clients.find(session, space, enrolment.client_id)
    client, secret = _of(space, enrolment, former)
    await clients.store(session, client)
    return client, secret


async def remove(session: WriteSession, space: str, client_id: str) -> None:
    """Its tokens end with it."""
    if not await clients.delete(session, space, client_id):
        raise DomainError(
            Category.NOT_FOUND,
            "client_unknown",
            "This space has no such client; GET /_sandbox/psc/clients lists them.",
        )
    await grants.delete_of_client(session, space, client_id)


def _of(space: str, enrolment: Enrolment, former: Client | None) -> tuple[Client, str | None]:
    secret, digest = None, None
    if enrolment.auth_method in SECRET_METHODS:
        if enrolment.secret is None and former is not None and former.secret_digest is not None:
            digest = former.secret_digest
        else:
            secret = enrolment.secret or secret_token()
            digest = secrets.digest(secret)
    values = enrolment.model_dump(
        exclude={"secret", "public", "token_endpoint_auth_method"}, mode="python"
    )
    client = Client(
        space=space,
        secret_digest=digest,
        token_endpoint_auth_method=enrolment.auth_method,
        **values,
    )
    return client, secret
