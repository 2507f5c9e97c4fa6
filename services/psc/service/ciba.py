"""Client-initiated backchannel authentication, poll mode (CIBA Core; spec: psc.md §6.1)."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.psc.domain import secrets
from services.psc.domain.ciba import BackchannelRequest
from services.psc.domain.client import Client
from services.psc.domain.ecps import AuthenticationRequest
from services.psc.domain.refusals import OAuthError, invalid_grant
from services.psc.domain.session import Grant
from services.psc.provider import Provider
from services.psc.repository import grants, people, requests
from services.psc.service import sessions
from services.psc.service.caller import Caller
from services.psc.service.tokens import Tokens, issue, no_certificate
from socle.clock import wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token


@dataclass(frozen=True, slots=True)
class Started:
    """`auth_req_id` is told once; only its digest is kept."""

    auth_req_id: str
    expires_in: int
    interval: float


async def start(
    provider: Provider, client: Client, asked: BackchannelRequest, issuer: str
) -> Started:
    """One statement, which stores the request of a person who is there and enabled."""
    now, auth_req_id = wall(), secret_token(48)
    expiry = asked.expiry or provider.lifetimes.ciba
    request = AuthenticationRequest.pending(
        space=client.space,
        id_=random_uuid(),
        client_id=client.client_id,
        national_id=asked.national_id,
        channel=asked.channel,
        number=asked.number,
        scope=asked.scope,
        issuer=issuer,
        now=now,
        expiry=expiry,
    )
    if client.auto_approve:
        request = replace(request, status="approved")
    digest = secrets.digest(auth_req_id)
    if not await requests.insert_polled(provider.kernel.database, request, digest):
        raise OAuthError(
            "invalid_request",
            "invalid user",
            "login_hint names no enabled person of this space; GET /_sandbox/psc/people lists them.",
        )
    interval = provider.settings.psc_ciba_interval_seconds
    return Started(auth_req_id, int(expiry.total_seconds()), interval)


async def poll(
    provider: Provider, session: WriteSession, caller: Caller, auth_req_id: str
) -> Tokens | OAuthError:
    """Tokens once, after the person has approved. Refusals are returned: what they note is kept."""
    now, space, client = wall(), caller.space, caller.client
    request = await requests.lock_polled(session, space.name, secrets.digest(auth_req_id))
    if request is None:
        return invalid_grant("Invalid Auth Req ID", "Send the auth_req_id as it was answered.")
    if request.client_id != client.client_id:
        return invalid_grant(
            "Invalid auth_req_id", "A request is polled by the client that started it."
        )
    verdict = request.verdict(now)
    if verdict == "expired":
        return OAuthError(
            "expired_token",
            "authentication timed out",
            "Nobody answered in time; start a new request.",
        )
    if verdict == "used":
        return invalid_grant("Invalid Auth Req ID", "Its tokens were fetched already.")
    if _is_hasty(provider, request, now) or caller.faults.effect("slow_down", request.national_id):
        return OAuthError(
            "slow_down",
            "too early to access",
            f"Wait {provider.settings.psc_ciba_interval_seconds:g} s between two polls.",
        )
    if verdict == "pending":
        await requests.note_poll(session, request, now)
        return OAuthError(
            "authorization_pending",
            "The authorization request is still pending as the end-user hasn't yet been "
            "authenticated.",
        )
    if verdict == "refused":
        return OAuthError("access_denied", "not authorized", "The person refused.")
    if client.tls_client_certificate_bound_access_tokens and caller.thumbprint is None:
        return no_certificate()
    return await _tokens(provider, session, caller, request, now)


def _is_hasty(provider: Provider, request: AuthenticationRequest, now: datetime) -> bool:
    """Counted from the last poll that was in time, so that haste does not postpone the answer."""
    last = request.last_polled_at
    return last is not None and now < last + provider.lifetimes.ciba_interval


async def _tokens(
    provider: Provider,
    session: WriteSession,
    caller: Caller,
    request: AuthenticationRequest,
    now: datetime,
) -> Tokens | OAuthError:
    space, bound = caller.space, caller.client.tls_client_certificate_bound_access_tokens
    await requests.decide(session, request, "used", request.wrong_numbers)
    person = await people.find(session, space.name, request.national_id)
    if person is None or not person.enabled:
        return invalid_grant("User disabled", "Choose an enabled test person.")
    opened = await sessions.open_without_browser(
        provider, session, space, person, request.channel, request.client_id, now
    )
    grant = Grant(
        space=space.name,
        id=random_uuid(),
        session_id=opened.id,
        client_id=request.client_id,
        redirect_uri="",
        scope=request.scope,
        nonce="",
        acr=provider.acr_of(request.channel),
        issuer=request.issuer,
        challenge="",
        challenge_method="",
        code_expires_at=now,
        code_used_at=now,
        revoked_at=None,
        certificate_thumbprint=caller.thumbprint if bound else None,
    )
    await grants.insert(session, grant, None)
    return await issue(provider, session, caller, grant, now)
