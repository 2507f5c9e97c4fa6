"""What a token is worth now: userinfo, introspection, revocation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain import claims, secrets
from services.psc.domain.client import Client
from services.psc.domain.refusals import OAuthError, invalid_token
from services.psc.domain.session import Grant, Session, TokenRecord
from services.psc.provider import Provider
from services.psc.repository import clients, grants, people
from services.psc.repository import sessions as rows
from services.psc.service import sessions
from socle.clock import wall
from socle.db.database import WriteSession
from socle.people.person import Person

_LOG_IN_AGAIN = "Refresh it, or log in again."


@dataclass(frozen=True, slots=True)
class Live:
    """A token whose session, grant and person all still stand."""

    session: Session
    grant: Grant
    person: Person
    record: TokenRecord
    claims: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class UserInfo:
    """`signed` holds the document as a JWT, with `iss` and `aud`, for a client enrolled so."""

    client: Client
    person: str = field(repr=False)
    document: dict[str, Any] = field(repr=False)
    signed: str | None = field(repr=False)


async def userinfo(
    provider: Provider,
    session: AsyncSession,
    explicit_space: str | None,
    token: str,
    thumbprint: bytes | None,
) -> UserInfo:
    live = await live_access(provider, session, explicit_space, token)
    if isinstance(live, OAuthError):
        raise live
    if live.grant.certificate_thumbprint not in (None, thumbprint):
        raise invalid_token(
            "Client certificate missing, or its thumbprint and one in the refresh token did NOT "
            "match",
            "Present the certificate to which this token is bound (its cnf).",
        )
    document = claims.userinfo_claims(
        live.person,
        provider.auth_mode_claim(live.session.auth_mode),
        provider.settings.psc_userinfo_shape,
    )
    client = await clients.find(session, live.grant.space, live.grant.client_id)
    if client is None:
        raise invalid_token("Token invalid: Client not found", _LOG_IN_AGAIN)
    alg, signed = client.userinfo_signed_response_alg, None
    if alg is not None:
        issued = {**document, "iss": live.grant.issuer, "aud": client.client_id}
        signed = provider.signer.sign(issued, alg)
    return UserInfo(client, live.person.SubjectNameID, document, signed)


async def introspect(
    provider: Provider, session: AsyncSession, client: Client, token: str
) -> dict[str, Any]:
    """RFC 7662: whatever is wrong with a token, the answer is no more than inactive."""
    live = await live_access(provider, session, client.space, token)
    if isinstance(live, Live):
        return claims.introspection_claims(live.claims, is_access_token=True)
    record = await grants.of_refresh(session, client.space, secrets.digest(token))
    now = wall()
    if record is None or record.refresh_used_at is not None or record.refresh_expires_at <= now:
        return {"active": False}
    standing = await _standing(provider, session, client.space, record, now)
    if isinstance(standing, OAuthError):
        return {"active": False}
    access = claims.access_claims(
        standing.grant,
        standing.session,
        provider.auth_mode_claim(standing.session.auth_mode),
        standing.person,
        record.access_jti,
        record.access_expires_at - provider.lifetimes.access,
        record.refresh_expires_at,
    )
    return claims.introspection_claims({**access, "typ": "Refresh"}, is_access_token=False)


async def revoke(provider: Provider, session: WriteSession, client: Client, token: str) -> None:
    """RFC 7009: an unknown token is no error. A refresh token takes its whole grant with it."""
    now = wall()
    record = await grants.of_refresh(session, client.space, secrets.digest(token))
    if record is not None:
        await grants.revoke(session, await _own_grant(session, client, record), now)
        return
    read = provider.signer.read(token)
    jti = _uuid(read.get("jti")) if read and read.get("typ") == "Bearer" else None
    record = await grants.of_access(session, client.space, jti) if jti else None
    if record is not None:
        await _own_grant(session, client, record)
        await grants.revoke_access(session, client.space, record.access_jti, now)


async def _own_grant(session: AsyncSession, client: Client, record: TokenRecord) -> Grant:
    grant = await grants.find(session, client.space, record.grant_id)
    if grant is None or grant.client_id != client.client_id:
        raise OAuthError(
            "invalid_token", "Unmatching clients", "A client revokes the tokens that it was given."
        )
    return grant


async def live_access(
    provider: Provider, session: AsyncSession, explicit_space: str | None, token: str
) -> Live | OAuthError:
    read = provider.signer.read(token)
    if read is None or read.get("typ") != "Bearer":
        return invalid_token("Token invalid: not an access token of this provider", _LOG_IN_AGAIN)
    space, now = str(read.get(claims.SPACE)), wall()
    if explicit_space not in (None, space):
        return invalid_token("Token invalid: issued in another space", _LOG_IN_AGAIN)
    if not isinstance(read.get("exp"), int) or read["exp"] <= int(now.timestamp()):
        return invalid_token("Token invalid: Token is not active", _LOG_IN_AGAIN)
    jti = _uuid(read.get("jti"))
    record = await grants.of_access(session, space, jti) if jti else None
    if record is None or record.access_revoked_at is not None:
        return invalid_token("Token invalid: Token is not active", _LOG_IN_AGAIN)
    standing = await _standing(provider, session, space, record, now)
    if isinstance(standing, OAuthError):
        return standing
    return Live(standing.session, standing.grant, standing.person, record, read)


async def _standing(
    provider: Provider, session: AsyncSession, space: str, record: TokenRecord, now: datetime
) -> Live | OAuthError:
    grant = await grants.find(session, space, record.grant_id)
    if grant is None or grant.revoked_at is not None:
        return invalid_token("Stale token", _LOG_IN_AGAIN)
    current = await rows.find(session, space, grant.session_id)
    if current is None or not sessions.is_live(provider, current, now):
        return OAuthError(
            "invalid_request",
            "User session not found or doesn't have client attached on it",
            "The PSC session has ended: log in again.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="esante-wallet", error="invalid_request"'},
        )
    person = await people.find(session, space, current.national_id)
    if person is None or not person.enabled:
        return invalid_token("User disabled", "Choose an enabled test person.")
    return Live(current, grant, person, record)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
