"""Pushed authorization requests (RFC 9126)."""

import asyncio
from urllib.parse import urlencode

import httpx
import pytest

from .conftest import CONNECT, RelyingParty, callback_of

AUTH = "/auth/realms/esante-wallet/protocol/openid-connect/auth"


async def push(party: RelyingParty, **changes: str | None) -> httpx.Response:
    form = party.request(**changes)
    return await party.post("/ext/par/request", **form)


async def pushed(party: RelyingParty, **changes: str | None) -> str:
    answer = await push(party, **changes)
    assert answer.status_code == 201, answer.text
    assert answer.json()["expires_in"] == 60
    return str(answer.json()["request_uri"])


async def follow(party: RelyingParty, uri: str, **more: str) -> httpx.Response:
    query = urlencode({"client_id": party.credentials[0], "request_uri": uri, **more})
    return await party.http.get(f"{party.prefix}{AUTH}?{query}", follow_redirects=False)


class TestPushed:
    async def test_request_leads_to_a_code(self, party: RelyingParty) -> None:
        uri = await pushed(party, state="pushed-state")
        answer = callback_of(await follow(party, uri, state="tampered", scope="none"))
        assert answer["state"] == "pushed-state"
        assert (await party.exchange(answer["code"])).status_code == 200

    async def test_name_is_good_once_even_for_eight_at_once(self, party: RelyingParty) -> None:
        uri = await pushed(party)
        answers = await asyncio.gather(*(follow(party, uri) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [302] + [400] * 7

    async def test_login_page_opens_without_hint(self, party: RelyingParty) -> None:
        answer = await follow(party, await pushed(party, login_hint=None))
        assert answer.status_code == 200
        assert "e-CPS" in answer.text

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scope": "openid"}, "invalid_scope"),
            ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
            ({"redirect_uri": None}, "invalid_request"),
            ({"acr_values": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ],
    )
    async def test_fault_is_told_at_once_as_json(
        self, party: RelyingParty, changes: dict[str, str | None], error: str
    ) -> None:
        answer = await push(party, **changes)
        assert answer.status_code == 400
        assert answer.json()["error"] == error
        assert answer.json()["socle_hint"]

    async def test_secret_is_needed_and_not_kept(self, party: RelyingParty) -> None:
        party.credentials = ("socle-demo", "wrong")
        assert (await push(party)).status_code == 401

    async def test_another_client_cannot_use_the_name(self, party: RelyingParty) -> None:
        body = {"client_id": "other", "name": "Other", "loopback": True}
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=body)
        uri = await pushed(party)
        query = urlencode({"client_id": "other", "request_uri": uri})
        answer = await party.http.get(f"{party.prefix}{AUTH}?{query}", follow_redirects=False)
        assert answer.status_code == 400
        assert "PAR not found" in answer.text
        assert (await follow(party, uri)).status_code == 302

    async def test_works_at_the_wallets_address_too(self, party: RelyingParty) -> None:
        query = urlencode({"client_id": "socle-demo", "request_uri": await pushed(party)})
        answer = await party.http.get(f"{party.prefix}/auth?{query}", follow_redirects=False)
        assert callback_of(answer)["code"]


class TestFormPost:
    async def test_answer_comes_as_a_form_that_posts_itself(self, party: RelyingParty) -> None:
        answer = await party.authorize(response_mode="form_post", state='"><script>')
        assert answer.status_code == 200
        assert 'name="code"' in answer.text
        assert 'name="iss"' in answer.text
        assert "<script>alert" not in answer.text
        assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
        assert "sha256-" in answer.headers["content-security-policy"]
        assert "no-store" in answer.headers["cache-control"]

    async def test_refusal_comes_so_too(self, party: RelyingParty) -> None:
        answer = await party.authorize(response_mode="form_post", scope="openid")
        assert 'value="invalid_scope"' in answer.text

    async def test_endpoint_is_the_one_of_the_discovery_document(self, party: RelyingParty) -> None:
        path = "/auth/realms/esante-wallet/.well-known/openid-configuration"
        document = (await party.http.get(party.prefix + path)).json()
        assert document["pushed_authorization_request_endpoint"].endswith(
            f"{party.prefix}{CONNECT}/ext/par/request"
        )
