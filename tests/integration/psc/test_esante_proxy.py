"""The Proxy e-Santé: a thick client that holds a cookie and no token."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.clock import wall
from socle.db.database import Database
from socle.testing.apps import client_of
from socle.testing.serving import serving
from tests.patience import PATIENCE_SECONDS

from .conftest import GENERALIST, RelyingParty
from .test_exchange import active

ASKED = {
    "nationalId": GENERALIST, "bindingMessage": "42", "clientId": "socle-demo", "channel": "MOBILE",
}  # fmt: skip


def backend() -> FastAPI:
    """A business API: says what it was sent."""
    app = FastAPI()

    @app.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def echo(request: Request) -> Response:
        if request.url.path.endswith("/slow"):
            await asyncio.sleep(60)
        body = await request.body()
        told = {
            "method": request.method,
            "target": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "size": len(body),
        }
        return JSONResponse(told, 201, {"X-Backend": "yes", "Set-Cookie": "backend=1"})

    return app


@pytest.fixture
async def proxy(
    settings_values: dict[str, Any], space: str, database: Database
) -> AsyncIterator[RelyingParty]:
    async with serving(lambda _: backend()) as url:
        backends = {"api": f"{url}/api", "gone": "http://127.0.0.1:9/"}
        settings = PscSettings(**settings_values, psc_proxy_backends=backends)
        async with client_of(build(settings)) as http:
            yield RelyingParty(http, space, database)


async def connect(party: RelyingParty, **changes: Any) -> httpx.Response:
    return await party.http.post(f"{party.prefix}/connect", json={**ASKED, **changes})


async def answer_phone(party: RelyingParty, how: str = "approve") -> None:
    pending = f"{party.prefix}/_sandbox/psc/requests?status=pending"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := (await party.http.get(pending)).json()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    path = f"{party.prefix}/_sandbox/psc/requests/{found[0]['id']}/{how}"
    assert (await party.http.post(path)).status_code == 200


async def connected(party: RelyingParty) -> dict[str, str]:
    answer, _ = await asyncio.gather(connect(party), answer_phone(party))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def traced(party: RelyingParty) -> list[dict[str, Any]]:
    start = (wall() - timedelta(minutes=5)).isoformat()
    answer = await party.http.get(f"{party.prefix}/traces", params={"start": start})
    return list(answer.json())


class TestConnect:
    async def test_session_comes_as_cookie_and_body(self, proxy: RelyingParty) -> None:
        answer, _ = await asyncio.gather(connect(proxy), answer_phone(proxy))
        body = answer.json()
        assert set(body) == {"proxy_session_id", "session_state"}
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"proxy_session_id={body['proxy_session_id']};")
        assert "Path=/" in cookie
        assert "HttpOnly" in cookie
        again = await connect(proxy)
        assert again.status_code == 304
        types = [entry["type"] for entry in await traced(proxy)]
        assert types == ["CONNECT_SUCCESS", "CONNECT_REPLAY"]

    @pytest.mark.parametrize("how", ["refuse", "expire"])
    async def test_refusal_of_the_person_is_401(self, proxy: RelyingParty, how: str) -> None:
        answer, _ = await asyncio.gather(connect(proxy), answer_phone(proxy, how))
        assert answer.status_code == 401
        assert answer.json()["code"] == "401"
        assert answer.json()["metadata"] == {"nationalId": GENERALIST, "clientId": "socle-demo"}
        assert [entry["type"] for entry in await traced(proxy)] == ["CONNECT_FAILURE"]

    @pytest.mark.parametrize("changes", [{"nationalId": "899799999999"}, {"clientId": "nobody"}])
    async def test_unknown_person_or_software_is_404(
        self, proxy: RelyingParty, changes: dict[str, str]
    ) -> None:
        answer = await connect(proxy, **changes)
        assert answer.status_code == 404
        assert answer.json()["message"] == "User National ID or Software Client ID Not Found."

    @pytest.mark.parametrize(
        "changes",
        [
            {"nationalId": None}, {"bindingMessage": "4"}, {"bindingMessage": 42},
            {"channel": "FAX"}, {"clientId": ["x"]}, {"nationalId": "a\x00b"},
            {"nationalId": "9" * 5000},
        ],
    )  # fmt: skip
    async def test_wrong_field_is_400_and_named(
        self, proxy: RelyingParty, changes: dict[str, Any]
    ) -> None:
        answer = await connect(proxy, **changes)
        assert answer.status_code == 400
        assert next(iter(changes)) in answer.json()["message"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
    async def test_what_is_no_json_is_400(self, proxy: RelyingParty, body: bytes) -> None:
        answer = await proxy.http.post(f"{proxy.prefix}/connect", content=body)
        assert answer.status_code == 400
        assert answer.json()["code"] == "400"

    async def test_every_caller_gets_a_session_of_its_own(self, proxy: RelyingParty) -> None:
        made = []
        for _ in range(2):
            made.append((await connected(proxy))["proxy_session_id"])
            proxy.http.cookies.clear()
        assert len(set(made)) == 2


class TestSend:
    async def test_goes_on_with_the_api_token_and_without_the_cookie(
        self, proxy: RelyingParty
    ) -> None:
        await connected(proxy)
        answer = await proxy.http.put(
            f"{proxy.prefix}/send/api/a%2Fb/c?x=1&y=%20",
            content=b"z" * 3_000_000,
            headers={"Content-Type": "application/fhir+json", "Authorization": "Bearer mine"},
        )
        assert answer.status_code == 201
        assert answer.headers["x-backend"] == "yes"
        assert "set-cookie" not in answer.headers
        told = answer.json()
        assert told["target"] == "/api/a%2Fb/c"
        assert told["query"] == "x=1&y=%20"
        assert told["size"] == 3_000_000
        assert told["headers"]["content-type"] == "application/fhir+json"
        assert "cookie" not in told["headers"]
        token = told["headers"]["authorization"].removeprefix("Bearer ")
        assert await active(proxy, token)
        [sent] = [entry for entry in await traced(proxy) if entry["type"] == "SEND"]
        assert sent["apiRequest"] == {
            "nomApiPsc": "api",
            "methode": "PUT",
            "path": "/send/api/a/b/c",
        }
        assert sent["IdRPPS"] == GENERALIST

    async def test_without_session_is_401(self, proxy: RelyingParty) -> None:
        for cookie in ("", "x", "00000000-0000-0000-0000-000000000000"):
            answer = await proxy.http.get(
                f"{proxy.prefix}/send/api/x", headers={"Cookie": f"proxy_session_id={cookie}"}
            )
            assert answer.status_code == 401
            assert answer.json() == {"code": "401", "message": "No session found."}

    async def test_session_opens_nothing_in_another_space(self, proxy: RelyingParty) -> None:
        await connected(proxy)
        answer = await proxy.http.get(f"{proxy.prefix}-b/send/api/x")
        assert answer.status_code == 401

    async def test_backend_that_is_away_is_503(self, proxy: RelyingParty) -> None:
        await connected(proxy)
        answer = await proxy.http.get(f"{proxy.prefix}/send/gone/x")
        assert answer.status_code == 503

    @pytest.mark.parametrize(
        "path", ["nobody/x", "api/../x", "api/%2e%2e/x", "http:%2F%2Fevil.example/x", "api/%00/\\"]
    )
    async def test_only_named_backends_are_reached(self, proxy: RelyingParty, path: str) -> None:
        await connected(proxy)
        request = httpx.Request("GET", f"http://socle.test{proxy.prefix}/send/x")
        request.url = request.url.copy_with(raw_path=f"{proxy.prefix}/send/{path}".encode())
        request.headers["Cookie"] = "; ".join(
            f"{name}={value}" for name, value in proxy.http.cookies.items()
        )
        answer = await proxy.http.send(request)
        assert answer.status_code in (404, 201)
        if answer.status_code == 201:
            assert answer.json()["target"].startswith("/api/")
            assert ".." not in answer.json()["target"]


class TestDisconnect:
    async def test_ends_the_session_of_psc_and_the_tokens(self, proxy: RelyingParty) -> None:
        state = (await connected(proxy))["session_state"]
        told = (await proxy.http.get(f"{proxy.prefix}/send/api/x")).json()
        token = told["headers"]["authorization"].removeprefix("Bearer ")
        cookies = dict(proxy.http.cookies)
        answer = await proxy.http.delete(f"{proxy.prefix}/disconnect")
        assert answer.status_code == 200
        assert not await active(proxy, token)
        sessions = await proxy.http.get(f"{proxy.prefix}/_sandbox/psc/sessions")
        assert state not in {session["id"] for session in sessions.json()}
        proxy.http.cookies.update(cookies)
        again = await proxy.http.delete(f"{proxy.prefix}/disconnect")
        assert again.status_code == 401
        assert again.json() == {"code": "401", "message": "Session ID not found."}
        assert [entry["type"] for entry in await traced(proxy)][-1] == "DISCONNECT"


class TestTraces:
    @pytest.mark.parametrize("query", ["", "start=yesterday", "start=2026-11-27T10:00:00"])
    async def test_start_is_an_instant(self, proxy: RelyingParty, query: str) -> None:
        answer = await proxy.http.get(f"{proxy.prefix}/traces?{query}")
        assert answer.status_code == 400
        assert answer.json()["code"] == "400"

    async def test_alive(self, proxy: RelyingParty) -> None:
        assert (await proxy.http.get("/check/alive")).text == "OK"


class TestRenewal:
    async def test_api_token_is_renewed_near_its_end(
        self, settings_values: dict[str, Any], space: str, database: Database
    ) -> None:
        async with serving(lambda _: backend()) as url:
            settings = PscSettings(
                **settings_values, psc_proxy_backends={"api": f"{url}/api"}, psc_api_seconds=30
            )
            async with client_of(build(settings)) as http:
                party = RelyingParty(http, space, database)
                await connected(party)
                tokens = set()
                for _ in range(2):
                    told = (await http.get(f"{party.prefix}/send/api/x")).json()
                    tokens.add(told["headers"]["authorization"].removeprefix("Bearer "))
                assert len(tokens) == 2
                assert all([await active(party, token) for token in tokens])
