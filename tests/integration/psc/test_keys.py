"""Rotation of the keys, and the algorithms that a client may choose."""

import asyncio
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.auth.keys import RemoteKeys
from socle.auth.tokens import TokenVerifier
from socle.db.database import Database
from socle.errors import DomainError
from socle.testing.apps import client_of

from .conftest import CALLBACK, CONNECT, GENERALIST, RelyingParty

ROTATE = "/_sandbox/psc/keys/rotate"


async def published(party: RelyingParty) -> KeySet:
    return KeySet.import_key_set((await party.http.get(f"{CONNECT}/certs")).json())


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


class TestRotation:
    async def test_new_tokens_have_the_new_key_and_old_ones_stay_good(
        self, party: RelyingParty
    ) -> None:
        before = await party.tokens()
        answer = await party.http.post(ROTATE)
        assert answer.status_code == 200
        after = await party.tokens()
        assert kid_of(before["access_token"]) != kid_of(after["access_token"])
        assert (await party.userinfo(before["access_token"])).status_code == 200
        keys = await published(party)
        for tokens in (before, after):
            jwt.decode(tokens["access_token"], keys, algorithms=["RS256"])
        logout = await party.http.get(
            f"{party.prefix}{CONNECT}/logout", params={"id_token_hint": before["id_token"]}
        )
        assert logout.status_code == 200

    async def test_forgotten_keys_open_nothing(self, party: RelyingParty) -> None:
        before = await party.tokens()
        await party.http.post(ROTATE, json={"forget": True})
        assert kid_of(before["access_token"]) not in {key.kid for key in await published(party)}
        assert (await party.userinfo(before["access_token"])).status_code == 401
        # The refresh token is no JWT: a client that refreshes survives.
        assert (await party.refresh(before["refresh_token"])).status_code == 200

    async def test_ten_at_once_leave_one_active_key_of_each_kind(self, party: RelyingParty) -> None:
        answers = await asyncio.gather(*(party.http.post(ROTATE) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        tokens = await party.tokens()
        jwt.decode(tokens["access_token"], await published(party), algorithms=["RS256"])

    async def test_another_process_follows_within_its_lease(
        self, party: RelyingParty, psc_settings: PscSettings, database: Database
    ) -> None:
        async with client_of(build(psc_settings)) as other:
            elsewhere = RelyingParty(other, party.space, database)
            await elsewhere.tokens()
            await party.http.post(ROTATE)
            tokens = await elsewhere.tokens()  # perhaps signed with the former key still
            jwt.decode(tokens["access_token"], await published(party), algorithms=["RS256"])


class TestAlgorithms:
    async def enrol(self, party: RelyingParty, **fields: Any) -> None:
        body = {"client_id": "chooser", "name": "Logiciel", "redirect_uris": [CALLBACK], **fields}
        answer = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=body)
        party.credentials = ("chooser", answer.json()["secret"])

    async def test_id_token_is_signed_as_the_client_was_enrolled(self, party: RelyingParty) -> None:
        await self.enrol(party, id_token_signed_response_alg="ES256")
        tokens = await party.tokens()
        keys = await published(party)
        jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
        jwt.decode(tokens["access_token"], keys, algorithms=["RS256"])

    @pytest.mark.parametrize("alg", ["RS256", "ES256"])
    async def test_userinfo_can_be_a_signed_jwt(self, party: RelyingParty, alg: str) -> None:
        await self.enrol(party, userinfo_signed_response_alg=alg)
        answer = await party.userinfo((await party.tokens())["access_token"])
        assert answer.headers["content-type"] == "application/jwt"
        claims = jwt.decode(answer.text, await published(party), algorithms=[alg]).claims
        assert claims["SubjectNameID"] == GENERALIST
        assert claims["aud"] == "chooser"
        assert claims["iss"].endswith(f"/s/{party.space}/auth/realms/esante-wallet")
        assert len(claims["SubjectRefPro"]["exercices"][0]["activities"][0]) == 30

    async def test_access_tokens_follow_the_setting(
        self, settings_values: dict[str, Any], space: str, database: Database
    ) -> None:
        settings = PscSettings(**settings_values, psc_signing_alg="ES256")
        async with client_of(build(settings)) as http:
            party = RelyingParty(http, space, database)
            tokens = await party.tokens()
            jwt.decode(tokens["access_token"], await published(party), algorithms=["ES256"])
            assert (await party.userinfo(tokens["access_token"])).status_code == 200


class TestVerifiers:
    """What the gateway and the services do when a key is new to them."""

    @pytest.fixture
    def verifier(self, party: RelyingParty, monkeypatch: pytest.MonkeyPatch) -> TokenVerifier:
        """Asks the provider of the test, and counts how often."""
        transport = party.http._transport
        original = httpx.AsyncClient

        def through_the_test(**arguments: Any) -> httpx.AsyncClient:
            return original(transport=transport, timeout=arguments["timeout"])

        monkeypatch.setattr(httpx, "AsyncClient", through_the_test)
        return TokenVerifier(RemoteKeys("http://psc.test"), "http://localhost:8080", "demo")

    async def test_refuse_no_token_across_rotations_while_strangers_knock(
        self, party: RelyingParty, verifier: TokenVerifier
    ) -> None:
        junk = jwt.encode(
            {"alg": "RS256", "kid": "stranger"}, {"exp": 1}, RSAKey.generate_key(2048)
        )
        for _ in range(3):
            with pytest.raises(DomainError):  # its unknown key costs the fetch of this half second
                await verifier.verify(junk)
            await party.http.post(ROTATE)
            tokens = await asyncio.gather(*(party.tokens() for _ in range(5)))
            subjects = await asyncio.gather(
                *(verifier.verify(one["access_token"]) for one in tokens)
            )
            assert {subject.national_id for subject in subjects} == {GENERALIST}
