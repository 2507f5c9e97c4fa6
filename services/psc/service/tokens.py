"""Tokens for a code or a refresh token: one answer each. CIBA's are issued here too.

A refusal that must leave a trace (a code burnt, a grant revoked) is returned, not raised: raising
would roll the trace back.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.psc.domain import claims, pkce, secrets
from services.psc.domain.client import Client
from services.psc.domain.refusals import OAuthError, invalid_grant
from services.psc.domain.session import Grant, Session, TokenRecord
from services.psc.provider import Provider
from services.psc.repository import grants, people
from services.psc.repository import sessions as rows
from services.psc.service import sessions
from services.psc.service.caller import Caller
from services.psc.service.faulty import TokenFaults
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person

_LOG_IN_AGAIN = "Start a new authorization request."


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    id_token: str
    session_state: str
    scope: str


async def exchange_code(
    provider: Provider,
    session: WriteSession,
    caller: Caller,
    code: str,
    redirect_uri: str | None,
    verifier: str | None,
) -> Tokens | OAuthError:
    """RFC 6749 §4.1.3. The first presentation burns the code, the second ends the client's session."""
    now, digest, client = wall(), secrets.digest(code), caller.client
    grant = await grants.take_code(session, client.space, digest, now)
    if grant is None:
        return await _refusal_of_replay(session, client.space, digest, now)
    refusal = _refusal_of_exchange(client, grant, redirect_uri, verifier, now)
    if refusal is not None:
        return refusal
    if client.tls_client_certificate_bound_access_tokens:
        if caller.thumbprint is None:
            return no_certificate()
        grant = replace(grant, certificate_thumbprint=caller.thumbprint)
        await grants.bind(session, grant)
    return await issue(provider, session, caller, grant, now)


def no_certificate() -> OAuthError:
    return OAuthError(
        "invalid_request",
        "Client Certification missing for MTLS HoK Token Binding",
        "This client's tokens are bound to its certificate: present it to the TLS listener.",
    )


async def _refusal_of_replay(
    session: WriteSession, space: str, digest: bytes, now: datetime
) -> OAuthError:
    """Reuse kills the client's part of the session, as in Keycloak (spec: psc.md §4)."""
    grant = await grants.of_code(session, space, digest)
    if grant is None:
        return invalid_grant("Code not valid", f"This code is unknown here. {_LOG_IN_AGAIN}")
    await grants.revoke_client_session(session, grant, now)
    return invalid_grant(
        "Code not valid",
        "A code is used once; every token of this client in this session has just been revoked. "
        + _LOG_IN_AGAIN,
    )


def _refusal_of_exchange(
    client: Client, grant: Grant, redirect_uri: str | None, verifier: str | None, now: datetime
) -> OAuthError | None:
    if grant.client_id != client.client_id:
        return invalid_grant(
            "Auth error: Found different client_id in clientSession",
            "A code is exchanged by the client that asked for it.",
        )
    if grant.code_expires_at <= now:
        return invalid_grant("Code is expired", f"A code lives one minute at most. {_LOG_IN_AGAIN}")
    if grant.redirect_uri != redirect_uri:
        return invalid_grant(
            "Incorrect redirect_uri",
            "Send the redirect_uri of the authorization request, character for character.",
        )
    return pkce.refusal_of(grant.challenge, grant.challenge_method, verifier)


async def refresh(
    provider: Provider,
    session: WriteSession,
    caller: Caller,
    refresh_token: str,
) -> Tokens | OAuthError:
    """RFC 6749 §6, with rotation and reuse detection (RFC 9700 §4.14.2) unless set otherwise."""
    now, client, faults = wall(), caller.client, caller.faults
    digest = secrets.digest(refresh_token)
    token = await grants.lock_refresh(session, client.space, digest)
    grant = None if token is None else await grants.find(session, client.space, token.grant_id)
    if token is None or grant is None or grant.client_id != client.client_id:
        return invalid_grant(
            "Invalid refresh token", "Send the refresh_token that this client was last given."
        )
    if grant.certificate_thumbprint not in (None, caller.thumbprint):
        return invalid_grant(
            "Client certificate missing, or its thumbprint and one in the refresh token did NOT "
            "match",
            "Present the certificate with which these tokens were fetched.",
        )
    if token.refresh_used_at is not None:
        await grants.revoke(session, grant, now)
        return invalid_grant(
            "Stale token",
            f"A refresh token is used once; all its tokens have just been revoked. {_LOG_IN_AGAIN}",
        )
    if token.refresh_expires_at <= now:
        return invalid_grant("Token is not active", f"It has expired. {_LOG_IN_AGAIN}")
    if grant.revoked_at is not None:
        return invalid_grant("Session not active", f"It was revoked. {_LOG_IN_AGAIN}")
    if faults.armed("session_killed"):
        current = await rows.find(session, grant.space, grant.session_id)
        if current is not None and faults.effect("session_killed", current.national_id):
            await sessions.close(session, faults.space, current.id, now)
    if provider.settings.psc_refresh_rotation == "rotate":
        await grants.mark_refresh_used(session, client.space, digest, now)
    return await issue(provider, session, caller, grant, now)


async def issue(
    provider: Provider, session: WriteSession, caller: Caller, grant: Grant, now: datetime
) -> Tokens | OAuthError:
    """Tokens for a live session, whose idle delay starts again."""
    current = await rows.find(session, grant.space, grant.session_id)
    if (
        current is None
        or not sessions.is_live(provider, current, now)
        or not await rows.touch(session, grant.space, current.id, now)
    ):
        return invalid_grant(
            "Session not active",
            "The PSC session has ended (30 minutes idle, 4 hours at most, or logged out). "
            + _LOG_IN_AGAIN,
        )
    person = await people.find(session, grant.space, current.national_id)
    if person is None or not person.enabled:
        return invalid_grant("User disabled", "Choose an enabled test person.")
    return await _sign_and_store(provider, session, caller, grant, current, person, now)


async def _sign_and_store(
    provider: Provider,
    session: WriteSession,
    caller: Caller,
    grant: Grant,
    current: Session,
    person: Person,
    now: datetime,
) -> Tokens:
    lifetimes, refresh_token = provider.lifetimes, secret_token()
    record = TokenRecord(
        refresh_digest=secrets.digest(refresh_token),
        access_jti=random_uuid(),
        grant_id=grant.id,
        access_expires_at=now + lifetimes.access,
        refresh_expires_at=lifetimes.refresh_expiry(now, current.started_at),
        refresh_used_at=None,
        access_revoked_at=None,
    )
    await grants.insert_token(session, grant.space, record)
    return await signed(provider, caller, grant, current, person, record, refresh_token, now)


async def signed(
    provider: Provider,
    caller: Caller,
    grant: Grant,
    current: Session,
    person: Person,
    record: TokenRecord,
    refresh_token: str,
    now: datetime,
) -> Tokens:
    """The two JWTs. Signing lets go of the interpreter, so a thread keeps the other core busy."""
    access = claims.access_claims(
        grant,
        current,
        provider.auth_mode_claim(current.auth_mode),
        person,
        record.access_jti,
        now,
        record.access_expires_at,
    )
    access_token, id_token = await asyncio.to_thread(
        _sign, provider, caller, person, access, random_uuid()
    )
    return Tokens(
        access_token=access_token,
        expires_in=int(provider.lifetimes.access.total_seconds()),
        refresh_token=refresh_token,
        refresh_expires_in=int((record.refresh_expires_at - now).total_seconds()),
        id_token=id_token,
        session_state=str(current.id),
        scope=grant.scope,
    )


def _sign(
    provider: Provider, caller: Caller, person: Person, access: claims.Claims, id_jti: UUID
) -> tuple[str, str]:
    struck = TokenFaults.of(caller.faults, person.SubjectNameID)
    access = struck.distort(access)
    access_token = struck.sign(provider.signer, access, provider.settings.psc_signing_alg)
    identity = claims.id_claims(access, person, id_jti, access_token)
    alg = caller.client.id_token_signed_response_alg
    return access_token, struck.sign(provider.signer, identity, alg)
