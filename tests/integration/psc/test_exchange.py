"""A PSC token against an API's own, and what that one is worth."""

import asyncio
import base64
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.auth.tokens import TokenVerifier
from socle.db.database import Database
from socle.http.client_certificate import thumbprint
from socle.testing.apps import client_of

from .conftest import GENERALIST, RelyingParty
from .test_client_authentication import GATEWAY_KEY, certificate, shown

REALM = "/realms/signsessiondata"
TOKEN = f"{REALM}/protocol/openid-connect/token"
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


async def post(party: RelyingParty, path: str = TOKEN, /, **form: str | None) -> httpx.Response:
    kept = {name: value for name, value in form.items() if value is not None}
    return await party.http.post(party.prefix + path, data=kept, auth=party.credentials)


async def exchange(party: RelyingParty, token: str, **changes: str | None) -> httpx.Response:
    """As the ANS's proxy asks."""
    form: dict[str, str | None] = {
        "grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS,
        "subject_issuer": "psc", **changes,
    }  # fmt: skip
    return await post(party, **form)


async def exchanged(party: RelyingParty) -> dict[str, Any]:
    answer = await exchange(party, (await party.tokens())["access_token"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def keys_of(party: RelyingParty) -> KeySet:
    answer = await party.http.get(f"{party.prefix}{REALM}/protocol/openid-connect/certs")
    return KeySet.import_key_set(answer.json())


async def active(party: RelyingParty, token: str) -> bool:
    answer = await post(party, f"{TOKEN}/introspect", token=token)
    return bool(answer.json()["active"])


class TestExchange:
    async def test_answer_is_that_of_the_api_realm(self, party: RelyingParty) -> None:
        psc = await party.tokens()
        answer = (await exchange(party, psc["access_token"])).json()
        assert answer["issued_token_type"] == ACCESS
        assert answer["expires_in"] == 14_400
        assert answer["refresh_expires_in"] == 1800
        claims = jwt.decode(answer["access_token"], await keys_of(party)).claims
        assert claims["iss"].endswith(f"/s/{party.space}{REALM}")
        assert claims["aud"] == ["account", "socle-demo"]
        assert claims["acr"] == "1"
        assert claims["SubjectNameID"] == claims["preferred_username"] == GENERALIST
        assert claims["session_state"] == psc["session_state"]
        assert claims["name"] == "KIT DOC0042788"
        assert "cnf" not in claims
        identity = jwt.decode(answer["id_token"], await keys_of(party)).claims
        assert identity["aud"] == "socle-demo"

    async def test_services_take_the_token(self, party: RelyingParty) -> None:
        keys = await keys_of(party)

        class Published:
            async def holding(self, _kid: str | None) -> KeySet:
                return keys

        verifier = TokenVerifier(Published(), "http://localhost:8080", "demo")  # type: ignore[arg-type]
        subject = await verifier.verify((await exchanged(party))["access_token"])
        assert (subject.space, subject.national_id) == (party.space, GENERALIST)

    async def test_it_is_no_psc_token(self, party: RelyingParty) -> None:
        token = (await exchanged(party))["access_token"]
        assert (await party.userinfo(token)).status_code == 401
        assert (await exchange(party, token)).json()["error"] == "invalid_token"

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"subject_token": None}, "invalid_request"),
            ({"subject_token": "x.y.z"}, "invalid_token"),
            ({"subject_token": "\x00"}, "invalid_token"),
            ({"subject_token_type": None}, "invalid_request"),
            ({"subject_token_type": "urn:x"}, "invalid_request"),
            ({"subject_issuer": "google"}, "invalid_issuer"),
            ({"requested_token_type": "urn:x"}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ],
    )
    async def test_what_is_wrong_is_told(
        self, party: RelyingParty, changes: dict[str, str | None], error: str
    ) -> None:
        answer = await exchange(party, (await party.tokens())["access_token"], **changes)
        assert answer.status_code == 400
        assert answer.json()["error"] == error
        assert answer.json()["socle_hint"]

    async def test_dead_token_is_refused(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        await party.post("/revoke", token=tokens["refresh_token"])
        assert (await exchange(party, tokens["access_token"])).json()["error"] == "invalid_token"

    async def test_token_of_another_space_is_refused(
        self, party: RelyingParty, http: httpx.AsyncClient
    ) -> None:
        other = RelyingParty(http, f"{party.space}-b", party.database)
        token = (await other.tokens())["access_token"]
        assert (await exchange(party, token)).json()["error"] == "invalid_token"

    async def test_client_is_needed(self, party: RelyingParty) -> None:
        token = (await party.tokens())["access_token"]
        party.credentials = ("socle-demo", "wrong")
        assert (await exchange(party, token)).status_code == 401


class TestLife:
    async def test_refresh_prolongs_once(self, party: RelyingParty) -> None:
        first = await exchanged(party)
        refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        answers = await asyncio.gather(*(post(party, **refresh) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5
        won = next(answer for answer in answers if answer.status_code == 200).json()
        # The others were replays, so all that came of the exchange has ended.
        assert not await active(party, won["access_token"])

    async def test_token_outlives_the_two_minutes_of_psc_and_not_its_person(
        self, party: RelyingParty
    ) -> None:
        token = (await exchanged(party))["access_token"]
        assert await active(party, token)
        await party.http.delete(f"{party.prefix}/_sandbox/psc/people/{GENERALIST}")
        assert not await active(party, token)

    @pytest.mark.parametrize("token", ["", "x", "a.b.c"])
    async def test_nonsense_is_inactive(self, party: RelyingParty, token: str) -> None:
        answer = await post(party, f"{TOKEN}/introspect", token=token or "-")
        assert answer.json() == {"active": False}

    async def test_psc_token_is_unknown_to_this_realm(self, party: RelyingParty) -> None:
        assert not await active(party, (await party.tokens())["access_token"])


class TestCertificate:
    @pytest.mark.parametrize("encoding", ["ans", "rfc8705"])
    async def test_thumbprint_is_written_as_it_is_set(
        self, settings_values: dict[str, Any], space: str, database: Database, encoding: str
    ) -> None:
        settings = PscSettings(
            **settings_values,
            gateway_key=GATEWAY_KEY,
            psc_cnf_encoding=encoding,
            psc_exchange_certificate_required=True,
        )
        mine = certificate()
        async with client_of(build(settings)) as http:
            party = RelyingParty(http, space, database)
            token = (await party.tokens())["access_token"]
            assert (await exchange(party, token)).json()["error"] == "invalid_request"
            http.headers.update(shown(mine))
            answer = await exchange(party, token)
            cnf = jwt.decode(answer.json()["access_token"], await keys_of(party)).claims["cnf"]
            value = cnf["x5t#S256"]
            if encoding == "ans":
                assert base64.b64decode(value) == thumbprint(mine).hex().encode()
                assert value.endswith("==")
            else:
                assert base64.urlsafe_b64decode(value + "=") == thumbprint(mine)
            http.headers.update(shown(certificate()))
            refused = await post(
                party, grant_type="refresh_token", refresh_token=answer.json()["refresh_token"]
            )
            assert "did NOT match" in refused.json()["error_description"]

    async def test_scope_can_be_required(
        self, settings_values: dict[str, Any], space: str, database: Database
    ) -> None:
        settings = PscSettings(**settings_values, psc_exchange_scope_required=True)
        async with client_of(build(settings)) as http:
            party = RelyingParty(http, space, database)
            token = (await party.tokens())["access_token"]
            assert (await exchange(party, token)).json()["error"] == "invalid_scope"
            assert (await exchange(party, token, scope="api:read")).json()["scope"] == "api:read"
