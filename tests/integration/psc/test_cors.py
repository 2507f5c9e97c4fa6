"""Who may read the answers across origins."""

import pytest

from .conftest import CONNECT, REALM, RelyingParty

APP = "https://spa.example"


@pytest.fixture
async def spa(party: RelyingParty) -> RelyingParty:
    body = {"client_id": "spa", "name": "SPA", "public": True, "redirect_uris": [f"{APP}/cb"]}
    await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=body)
    return party


async def allowed(party: RelyingParty, client_id: str, origin: str) -> str | None:
    answer = await party.http.post(
        f"{party.prefix}{CONNECT}/token",
        data={"grant_type": "refresh_token", "refresh_token": "x", "client_id": client_id},
        headers={"Origin": origin},
    )
    assert answer.status_code in (400, 401)
    assert "access-control-allow-credentials" not in answer.headers
    value: str | None = answer.headers.get("access-control-allow-origin")
    return value


async def test_answer_is_for_the_origin_of_a_redirect_uri(spa: RelyingParty) -> None:
    assert await allowed(spa, "spa", APP) == APP
    for origin in ("https://evil.example", "null", "http://spa.example", f"{APP}:8443"):
        assert await allowed(spa, "spa", origin) is None


async def test_refusal_of_an_unknown_client_can_be_read(spa: RelyingParty) -> None:
    assert await allowed(spa, "nobody", APP) == APP


async def test_preflight_is_answered_for_any_origin(spa: RelyingParty) -> None:
    for path in (f"{CONNECT}/token", f"{CONNECT}/userinfo", f"{REALM}/.well-known/x"):
        answer = await spa.http.request("OPTIONS", spa.prefix + path, headers={"Origin": APP})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == APP
        assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_everyone_may_read_keys_and_discovery(spa: RelyingParty) -> None:
    for path in (f"{CONNECT}/certs", f"{REALM}/.well-known/openid-configuration"):
        answer = await spa.http.get(spa.prefix + path, headers={"Origin": "https://any.example"})
        assert answer.headers["access-control-allow-origin"] == "https://any.example"


async def test_pages_are_for_no_other_origin(spa: RelyingParty) -> None:
    answer = await spa.http.get(f"{spa.prefix}/auth", headers={"Origin": APP})
    assert "access-control-allow-origin" not in answer.headers
