"""Faults that a vendor's client must survive, each through the real endpoints."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from socle.clock import wall_seconds

from .conftest import CONNECT, GENERALIST, SPECIALIST, RelyingParty, callback_of

CIBA = "urn:openid:params:grant-type:ciba"


async def arm(party: RelyingParty, **fields: Any) -> None:
    rules = [{"id": "vendor-test", **fields}] if fields else []
    answer = await party.http.put(f"{party.prefix}/_sandbox/faults", json=rules)
    assert answer.status_code == 200, answer.text


async def keys_of(party: RelyingParty) -> KeySet:
    return KeySet.import_key_set((await party.http.get(f"{CONNECT}/certs")).json())


async def claims_of(party: RelyingParty, token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, await keys_of(party), algorithms=["RS256"]).claims)


class TestTokenEndpoint:
    async def test_fails_once_and_the_same_code_is_good_afterwards(
        self, party: RelyingParty
    ) -> None:
        await arm(party, client="socle-demo", path=f"{CONNECT}/token", status=503, count=1)
        code = await party.code()
        failed = await party.exchange(code)
        assert failed.status_code == 503
        assert failed.headers["x-socle-fault"] == "vendor-test"
        assert failed.json()["error"] == "temporarily_unavailable"
        assert (await party.exchange(code)).status_code == 200

    @pytest.mark.parametrize(("body", "kind"), [("html", "text/html"), ("empty", None)])
    async def test_fails_as_a_broken_proxy_does(
        self, party: RelyingParty, body: str, kind: str | None
    ) -> None:
        await arm(party, path=f"{CONNECT}/token", status=502, body=body)
        failed = await party.exchange(await party.code())
        assert failed.status_code == 502
        assert failed.headers.get("content-type", "").partition(";")[0] == (kind or "")
        with pytest.raises(ValueError, match="Expecting value"):
            failed.json()

    async def test_strikes_one_person_only(self, party: RelyingParty) -> None:
        await arm(party, person=SPECIALIST, path=f"{CONNECT}/token", status=500)
        mine = await party.tokens()
        party.http.cookies.clear()
        code = await party.code(login_hint=SPECIALIST)
        assert (await party.exchange(code)).status_code == 500
        assert (await party.refresh(mine["refresh_token"])).status_code == 200
        await arm(party)
        assert (await party.exchange(code)).status_code == 200

    async def test_answers_an_error_of_ones_choice(self, party: RelyingParty) -> None:
        await arm(party, path=f"{CONNECT}/token", effect="oauth_error", value="invalid_grant")
        answer = await party.exchange(await party.code())
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_grant"

    async def test_asks_ciba_clients_to_slow_down(self, party: RelyingParty) -> None:
        started = await party.post(
            "/ext/ciba/auth", scope="openid scope_all", acr_values="eidas1",
            login_hint=GENERALIST, binding_message="42",
        )  # fmt: skip
        await arm(party, person=GENERALIST, effect="slow_down", count=1)
        auth_req_id = started.json()["auth_req_id"]
        first = await party.post("/token", grant_type=CIBA, auth_req_id=auth_req_id)
        assert first.json()["error"] == "slow_down"
        second = await party.post("/token", grant_type=CIBA, auth_req_id=auth_req_id)
        assert second.json()["error"] == "authorization_pending"

    async def test_kills_the_session_at_a_refresh(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        await arm(party, effect="session_killed", count=1)
        answer = await party.refresh(tokens["refresh_token"])
        assert answer.json()["error_description"] == "Session not active"
        assert (await party.userinfo(tokens["access_token"])).status_code == 401


class TestTokens:
    async def test_nonce_is_another(self, party: RelyingParty) -> None:
        await arm(party, effect="wrong_nonce")
        tokens = await party.tokens()
        for name in ("access_token", "id_token"):
            assert (await claims_of(party, tokens[name]))["nonce"] not in ("n-1", "")

    async def test_acr_is_missing_or_another(self, party: RelyingParty) -> None:
        await arm(party, effect="drop_acr")
        assert "acr" not in await claims_of(party, (await party.tokens())["id_token"])
        await arm(party, effect="acr", value="eidas2")
        assert (await claims_of(party, (await party.tokens())["id_token"]))["acr"] == "eidas2"

    async def test_clock_is_off(self, party: RelyingParty) -> None:
        await arm(party, effect="clock_skew", value="-300")
        before = wall_seconds()
        wrong = await claims_of(party, (await party.tokens())["id_token"])
        assert before - 301 <= wrong["iat"] <= wall_seconds() - 299
        assert wrong["exp"] - wrong["iat"] == 120

    async def test_key_is_not_published(self, party: RelyingParty) -> None:
        await arm(party, effect="unknown_kid")
        token = (await party.tokens())["id_token"]
        kid = jws.extract_compact(token.encode()).headers()["kid"]
        assert kid not in {key.kid for key in await keys_of(party)}

    async def test_signature_is_wrong(self, party: RelyingParty) -> None:
        await arm(party, effect="bad_signature")
        with pytest.raises(BadSignatureError):
            await claims_of(party, (await party.tokens())["id_token"])


class TestUserinfo:
    async def test_has_no_situations(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        await arm(party, client="socle-demo", person=GENERALIST, effect="no_subject_ref_pro")
        answer = await party.userinfo(tokens["access_token"])
        assert "SubjectRefPro" not in answer.json()
        assert answer.json()["SubjectNameID"] == GENERALIST

    async def test_is_a_jwt_that_nobody_asked_for(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        await arm(party, effect="userinfo_jwt")
        answer = await party.userinfo(tokens["access_token"])
        assert answer.headers["content-type"] == "application/jwt"
        assert (await claims_of(party, answer.text))["SubjectNameID"] == GENERALIST


class TestCallback:
    async def test_lacks_state_or_issuer(self, party: RelyingParty) -> None:
        await arm(party, effect="drop_state")
        assert "state" not in callback_of(await party.authorize())
        await arm(party, effect="drop_iss")
        answer = callback_of(await party.authorize())
        assert "iss" not in answer
        assert answer["state"] == "s-1"

    async def test_brings_an_error_of_ones_choice(self, party: RelyingParty) -> None:
        await arm(party, path="/auth", effect="oauth_error", value="temporarily_unavailable")
        answer = callback_of(await party.authorize())
        assert answer["error"] == "temporarily_unavailable"
        assert "code" not in answer

    async def test_state_is_lost_at_logout(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        await arm(party, client="socle-demo", effect="drop_state")
        answer = await party.http.get(
            f"{party.prefix}{CONNECT}/logout",
            params={
                "id_token_hint": tokens["id_token"], "state": "bye",
                "post_logout_redirect_uri": "http://127.0.0.1:8765/bye",
            },
        )  # fmt: skip
        assert answer.headers["location"] == "http://127.0.0.1:8765/bye"


class TestJournal:
    async def test_names_the_rule_that_struck(self, party: RelyingParty) -> None:
        await arm(party, effect="wrong_nonce")
        tokens = await party.tokens()
        assert UUID(tokens["session_state"])
        entries: list[dict[str, Any]] = (
            await party.http.get(f"{party.prefix}/_sandbox/journal")
        ).json()
        struck = [entry for entry in entries if entry["faults"]]
        assert [entry["path"] for entry in struck] == [f"{CONNECT}/token"]

    async def test_control_plane_is_never_struck(self, party: RelyingParty) -> None:
        await arm(party, path="/", status=500)
        answer: httpx.Response = await party.http.get(f"{party.prefix}/_sandbox/faults")
        assert answer.status_code == 200
