"""A PSC access token against a longer one of an API (RFC 8693; spec: psc.md §7)."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import secrets
from services.psc.domain.api_token import (
    ApiToken,
    ExchangeRequest,
    api_claims,
    api_id_claims,
)
from services.psc.domain.client import Client
from services.psc.domain.refusals import OAuthError, invalid_grant
from services.psc.provider import Provider
from services.psc.repository import api_tokens, people
from services.psc.service.inspection import Live, live_access
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person


@dataclass(frozen=True, slots=True)
class ApiTokens:
    token: ApiToken
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_expires_in: int

    @property
    def expires_in(self) -> int:
        return int((self.token.expires_at - self.token.issued_at).total_seconds())


async def exchange(
    provider: Provider,
    session: WriteSession,
    client: Client,
    asked: ExchangeRequest,
    issuer: str,
    thumbprint: bytes | None,
) -> ApiTokens:
    """The subject token must be alive, and of the client's own space."""
    live = await live_access(provider, session, client.space, asked.subject_token)
    if isinstance(live, OAuthError):
        raise OAuthError(
            "invalid_token",
            "Invalid token",
            f"The subject_token is no live PSC access token: {live.detail}. They live two minutes.",
        )
    return await exchange_live(provider, session, client, live, asked, issuer, thumbprint)


async def exchange_live(
    provider: Provider,
    session: WriteSession,
    client: Client,
    live: Live,
    asked: ExchangeRequest,
    issuer: str,
    thumbprint: bytes | None,
) -> ApiTokens:
    now = wall()
    token = ApiToken(
        space=client.space,
        jti=random_uuid(),
        grant_id=random_uuid(),
        client_id=client.client_id,
        session_id=live.session.id,
        national_id=live.person.SubjectNameID,
        scope=asked.scope,
        audience=asked.audience,
        issuer=issuer,
        certificate_thumbprint=thumbprint,
        issued_at=now,
        expires_at=now + timedelta(seconds=provider.settings.psc_api_seconds),
        refresh_expires_at=now + timedelta(seconds=provider.settings.psc_api_refresh_seconds),
    )
    return await _issue(provider, session, token, live.person)


async def refresh(
    provider: Provider,
    session: WriteSession,
    client: Client,
    refresh_token: str,
    thumbprint: bytes | None,
) -> ApiTokens | OAuthError:
    """Returned, not raised, where the refusal revokes what came of the exchange."""
    now, digest = wall(), secrets.digest(refresh_token)
    former = await api_tokens.lock_refresh(session, client.space, digest)
    if former is None or former.client_id != client.client_id:
        return invalid_grant("Invalid refresh token", "Send the one that this client was given.")
    if former.certificate_thumbprint not in (None, thumbprint):
        return invalid_grant(
            "Client certificate missing, or its thumbprint and one in the refresh token did NOT "
            "match",
            "Present the certificate with which these tokens were fetched.",
        )
    if former.refresh_used_at is not None:
        await api_tokens.revoke_grant(session, client.space, former.grant_id, now)
        return invalid_grant("Stale token", "A refresh token is used once: exchange again.")
    renewed = await renew(provider, session, former)
    if renewed is None:
        return invalid_grant(
            "Token is not active",
            "It has expired or was revoked, or the person is disabled: exchange a PSC token again.",
        )
    return renewed


async def renew(provider: Provider, session: WriteSession, former: ApiToken) -> ApiTokens | None:
    """None when the former one can no longer be prolonged."""
    now = wall()
    if former.revoked_at is not None or former.refresh_expires_at <= now:
        return None
    person = await people.find(session, former.space, former.national_id)
    if person is None or not person.enabled:
        return None
    await api_tokens.mark_used(session, former, now)
    fresh = replace(
        former,
        jti=random_uuid(),
        issued_at=now,
        expires_at=now + (former.expires_at - former.issued_at),
        refresh_expires_at=now + (former.refresh_expires_at - former.issued_at),
    )
    return await _issue(provider, session, fresh, person)


async def _issue(
    provider: Provider, session: WriteSession, token: ApiToken, person: Person
) -> ApiTokens:
    refresh_token = secret_token()
    await api_tokens.insert(session, token, secrets.digest(refresh_token))
    alg = provider.settings.psc_signing_alg
    claims = api_claims(token, person, provider.settings.psc_cnf_encoding)
    access_token = provider.signer.sign(claims, alg)
    identity = api_id_claims(claims, random_uuid(), access_token)
    seconds = (token.refresh_expires_at - token.issued_at).total_seconds()
    return ApiTokens(
        token, access_token, refresh_token, provider.signer.sign(identity, alg), int(seconds)
    )


async def sign_again(provider: Provider, session: AsyncSession, token: ApiToken) -> str | None:
    """The access token as it was issued; None once it is worth nothing."""
    person = await _standing(session, token, wall())
    if person is None:
        return None
    claims = api_claims(token, person, provider.settings.psc_cnf_encoding)
    return provider.signer.sign(claims, provider.settings.psc_signing_alg)


async def introspect(
    provider: Provider, session: AsyncSession, client: Client, token: str
) -> dict[str, Any]:
    read = provider.signer.read(token) or {}
    found = await _find(session, client.space, read)
    if found is None or await _standing(session, found, wall()) is None:
        return {"active": False}
    return {**read, "client_id": read["azp"], "username": read["SubjectNameID"], "active": True}


async def _find(session: AsyncSession, space: str, read: dict[str, Any]) -> ApiToken | None:
    """A token of this realm: PSC's own are not known here, although the same keys signed them."""
    if read.get("typ") != "Bearer":
        return None
    try:
        jti = UUID(str(read.get("jti")))
    except ValueError:
        return None
    return await api_tokens.find(session, space, jti)


async def _standing(session: AsyncSession, token: ApiToken, now: datetime) -> Person | None:
    if token.revoked_at is not None or token.expires_at <= now:
        return None
    person = await people.find(session, token.space, token.national_id)
    return person if person is not None and person.enabled else None
