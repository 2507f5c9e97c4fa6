"""The Proxy e-Santé, which logs a thick client's user in and keeps the tokens (spec: psc.md §7).

It is a relying party like any other and plays its part by the provider's own use cases: a CIBA
request, polls, the exchange, a logout.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from services.psc.domain import secrets
from services.psc.domain.api_token import ExchangeRequest
from services.psc.domain.authorization import REQUIRED_SCOPES
from services.psc.domain.ciba import BackchannelRequest
from services.psc.domain.client import Client
from services.psc.domain.esante_proxy import Connection, ProxyError, ProxySession
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.repository import api_tokens, requests
from services.psc.repository import esante_proxy as rows
from services.psc.service import ciba, exchange, sessions
from services.psc.service.caller import Caller
from services.psc.service.inspection import Live, live_access
from socle.clock import monotonic, wall
from socle.db.database import WriteSession
from socle.idgen import random_uuid

LOOK_EVERY_SECONDS = 0.25
RENEW_BEFORE = timedelta(seconds=60)
SCOPE = " ".join(REQUIRED_SCOPES)
HasLeft = Callable[[], Awaitable[bool]]


async def connect(
    provider: Provider,
    caller: Caller,
    asked: Connection,
    psc_issuer: str,
    api_issuer: str,
    has_left: HasLeft,
) -> ProxySession:
    """Waits for the person. ProxyError(401) when Pro Santé Connect or the exchange refuses."""
    database, client = provider.kernel.database, caller.client
    backchannel = BackchannelRequest(SCOPE, asked.national_id, asked.number, asked.channel, None)
    started = await ciba.start(provider, client, backchannel, psc_issuer)
    await _wait(provider, client, started, has_left)
    async with database.write() as session:
        tokens = await ciba.poll(provider, session, caller, started.auth_req_id)
        if not isinstance(tokens, OAuthError):
            live = await live_access(provider, session, client.space, tokens.access_token)
            if isinstance(live, Live):
                return await _open(provider, caller, session, live, api_issuer)
            tokens = live
    raise ProxyError(401, tokens.detail, metadata=asked.metadata)


async def _wait(
    provider: Provider, client: Client, started: ciba.Started, has_left: HasLeft
) -> None:
    """Until the person has answered, the request has run out, or the caller is gone: then nobody
    is left to fetch the tokens, and the phone need not ask any longer."""
    digest, database = secrets.digest(started.auth_req_id), provider.kernel.database
    until = monotonic() + started.expires_in + 1
    while monotonic() < until:
        async with database.read() as session:
            request = await requests.find_polled(session, client.space, digest)
        if request is None or request.verdict(wall()) != "pending":
            return
        if await has_left():
            async with database.write() as session:
                await requests.expire(session, request, wall())
            raise ProxyError(401, "The caller has left before the person answered.")
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _open(
    provider: Provider, caller: Caller, session: WriteSession, live: Live, api_issuer: str
) -> ProxySession:
    asked = ExchangeRequest("", "openid profile email", ())
    client, now = caller.client, wall()
    tokens = await exchange.exchange_live(
        provider, session, client, live, asked, api_issuer, caller.thumbprint
    )
    opened = ProxySession(
        space=client.space,
        id=random_uuid(),
        client_id=client.client_id,
        national_id=live.person.SubjectNameID,
        session_id=live.session.id,
        api_token=tokens.token.jti,
        started_at=now,
        expires_at=now + timedelta(seconds=provider.settings.psc_proxy_session_seconds),
    )
    await rows.insert(session, opened)
    return opened


async def find(provider: Provider, id_: UUID | None) -> ProxySession | None:
    if id_ is None:
        return None
    async with provider.kernel.database.read() as session:
        return await rows.find(session, id_, wall())


async def disconnect(provider: Provider, current: ProxySession) -> None:
    """Ends the PSC session and the API's tokens with the proxy's own."""
    space, now = await provider.kernel.spaces.get(current.space), wall()
    async with provider.kernel.database.write() as session:
        if not await rows.take(session, current.id):
            return
        token = await api_tokens.find(session, current.space, current.api_token)
        if token is not None:
            await api_tokens.revoke_grant(session, current.space, token.grant_id, now)
        await sessions.close(session, space, current.session_id, now)


async def token_to_send(provider: Provider, current: ProxySession, now: datetime) -> str | None:
    """The API token of the session, renewed near its end; None once it cannot be used any more."""
    async with provider.kernel.database.read() as session:
        token = await api_tokens.find(session, current.space, current.api_token)
        if token is None:
            return None
        if token.expires_at - now > RENEW_BEFORE:
            return await exchange.sign_again(provider, session, token)
    async with provider.kernel.database.write() as session:
        renewed = await exchange.renew(provider, session, token)
        if renewed is None:
            return None
        await rows.replace_token(session, current.id, renewed.token.jti)
        return renewed.access_token
