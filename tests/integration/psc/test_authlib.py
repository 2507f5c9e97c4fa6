"""A client that we did not write: Authlib's, unmodified, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import uvicorn
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.idgen import secret_token
from tests.patience import PATIENCE_SECONDS

from .conftest import CALLBACK, GENERALIST, REALM


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@pytest.fixture
async def issuer(
    listener: socket.socket, settings_values: dict[str, Any], space: str
) -> AsyncIterator[str]:
    """The issuer of one space of a server that really listens."""
    public_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = build(PscSettings(**settings_values, public_url=public_url))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn offers no event to wait for)
        await asyncio.sleep(0.02)
    yield f"{public_url}/s/{space}{REALM}"
    server.should_exit = True
    await task


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """The person's user agent: it goes where it is sent, and holds the cookies."""
    async with httpx.AsyncClient(
        trust_env=False, follow_redirects=False, timeout=PATIENCE_SECONDS
    ) as opened:
        yield opened


@pytest.mark.parametrize("document", ["wallet-openid-configuration", "openid-configuration"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlib_walks_the_whole_session(
    issuer: str, browser: httpx.AsyncClient, document: str, method: str
) -> None:
    async with AsyncOAuth2Client(
        "socle-demo",
        "socle-demo-secret",
        token_endpoint_auth_method=method,
        redirect_uri=CALLBACK,
        scope="openid scope_all",
        code_challenge_method="S256",
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    ) as client:
        provider = (await browser.get(f"{issuer}/.well-known/{document}")).json()
        assert provider["issuer"] == issuer
        verifier, nonce = secret_token(48), secret_token()
        url, state = client.create_authorization_url(
            provider["authorization_endpoint"],
            code_verifier=verifier,
            nonce=nonce,
            acr_values="eidas1",
            login_hint=GENERALIST,
        )
        answer = await browser.get(url)
        token = await client.fetch_token(
            provider["token_endpoint"],
            authorization_response=answer.headers["location"],
            state=state,
            code_verifier=verifier,
        )
        await _check_id_token(browser, provider, token, nonce)
        person = (await client.get(provider["userinfo_endpoint"])).json()
        assert person["SubjectNameID"] == GENERALIST
        assert person["sub"] == f"f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:{GENERALIST}"
        fresh = await client.refresh_token(provider["token_endpoint"])
        assert fresh["refresh_token"] != token["refresh_token"]
        seen = await client.introspect_token(
            provider["introspection_endpoint"], fresh["access_token"], "access_token"
        )
        assert seen.json()["active"] is True
        await _log_out(browser, provider, token["id_token"])
        refused = await client.get(provider["userinfo_endpoint"])
        assert refused.status_code == 401


async def _check_id_token(
    browser: httpx.AsyncClient, provider: dict[str, str], token: dict[str, str], nonce: str
) -> None:
    """Signature against the published keys, then Authlib's own OpenID Connect checks."""
    keys = KeySet.import_key_set((await browser.get(provider["jwks_uri"])).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"value": provider["issuer"]}, "aud": {"value": "socle-demo"}},
        {"nonce": nonce, "client_id": "socle-demo", "access_token": token["access_token"]},
    )
    claims.validate()


async def _log_out(browser: httpx.AsyncClient, provider: dict[str, str], id_token: str) -> None:
    query = urlencode(
        {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": "http://127.0.0.1:8765/bye",
            "state": "bye",
        }
    )
    answer = await browser.get(f"{provider['end_session_endpoint']}?{query}")
    assert answer.status_code == 302
    assert urlsplit(answer.headers["location"]).query == "state=bye"
