"""The token endpoint, and what its tokens are worth afterwards."""

import asyncio
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from services.psc.domain import secrets
from services.psc.repository import grants
from socle.auth.tokens import TokenVerifier
from socle.clock import wall
from tests.patience import PATIENCE_SECONDS

from .conftest import CALLBACK, CONNECT, GENERALIST, RelyingParty


async def keys_of(party: RelyingParty) -> KeySet:
    answer = await party.http.get(f"{CONNECT}/certs")
    assert "d" not in answer.json()["keys"][0]
    return KeySet.import_key_set(answer.json())


class TestExchange:
    async def test_answer_and_claims_are_those_of_psc(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        assert tokens["expires_in"] == 120
        assert tokens["refresh_expires_in"] == 1800
        assert tokens["token_type"] == "Bearer"
        assert tokens["not-before-policy"] == 0
        keys = await keys_of(party)
        access = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
        assert set(access) == {
            "exp", "iat", "auth_time", "jti", "iss", "sub", "typ", "azp", "nonce",
            "session_state", "acr", "scope", "sid", "authMode", "otherIds", "preferred_username",
            "socle_space",
        }  # fmt: skip
        assert access["sub"] == f"f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:{GENERALIST}"
        assert access["exp"] - access["iat"] == 120
        assert access["nonce"] == "n-1"
        assert access["sid"] == access["session_state"] == tokens["session_state"]
        assert access["otherIds"] == [{"identifiant": GENERALIST, "origine": "RPPS", "qualite": 1}]
        identity = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
        assert identity["aud"] == "socle-demo"
        assert identity["typ"] == "ID"
        assert identity["SubjectNameID"] == GENERALIST

    async def test_kernel_verifier_accepts_the_access_token(self, party: RelyingParty) -> None:
        keys = await keys_of(party)

        class Published:
            async def holding(self, _kid: str | None) -> KeySet:
                return keys

        verifier = TokenVerifier(Published(), "http://localhost:8080", "demo")  # type: ignore[arg-type]
        subject = await verifier.verify((await party.tokens())["access_token"])
        assert (subject.space, subject.national_id) == (party.space, GENERALIST)

    async def test_nonce_is_empty_when_none_was_sent(self, party: RelyingParty) -> None:
        tokens = await party.tokens(nonce=None)
        claims = jwt.decode(tokens["id_token"], await keys_of(party), algorithms=["RS256"]).claims
        assert claims["nonce"] == ""

    async def test_answer_is_not_stored_by_caches(self, party: RelyingParty) -> None:
        answer = await party.exchange(await party.code())
        assert answer.headers["cache-control"] == "no-store"

    async def test_tokens_are_revoked_when_code_is_replayed(self, party: RelyingParty) -> None:
        code = await party.code()
        tokens = (await party.exchange(code)).json()
        assert (await party.userinfo(tokens["access_token"])).status_code == 200
        replay = await party.exchange(code)
        assert replay.status_code == 400
        assert replay.json()["error"] == "invalid_grant"
        assert replay.json()["error_description"] == "Code not valid"
        assert (await party.userinfo(tokens["access_token"])).status_code == 401
        assert (await party.refresh(tokens["refresh_token"])).status_code == 400

    async def test_only_this_client_is_cut_off_when_code_is_replayed(
        self, party: RelyingParty
    ) -> None:
        code = await party.code()
        earlier = (await party.exchange(code)).json()
        later = await party.tokens()  # the same client, in the same session
        enrolment = {"client_id": "other", "name": "other", "loopback": True}
        made = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        neighbour = replace(party, credentials=("other", made.json()["secret"]))
        kept = await neighbour.tokens()
        states = {tokens["session_state"] for tokens in (earlier, later, kept)}
        assert len(states) == 1
        await party.exchange(code)
        assert (await party.userinfo(later["access_token"])).status_code == 401
        assert (await party.refresh(later["refresh_token"])).status_code == 400
        assert (await neighbour.userinfo(kept["access_token"])).status_code == 200

    async def test_token_is_dead_when_refreshed_while_its_session_is_revoked(
        self, party: RelyingParty
    ) -> None:
        """The refresh does not wait for the revocation: two that waited crosswise would deadlock."""
        code = await party.code()
        tokens = (await party.exchange(code)).json()
        async with party.database.write() as revoking:
            grant = await grants.of_code(revoking, party.space, secrets.digest(code))
            assert grant is not None
            await grants.revoke_client_session(revoking, grant, wall())
            refreshed = await asyncio.wait_for(
                party.refresh(tokens["refresh_token"]), PATIENCE_SECONDS
            )
        assert refreshed.status_code == 200
        assert (await party.userinfo(refreshed.json()["access_token"])).status_code == 401

    async def test_one_exchange_succeeds_when_many_run_at_once(self, party: RelyingParty) -> None:
        code = await party.code()
        answers = await asyncio.gather(*(party.exchange(code) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        assert (await party.userinfo(won["access_token"])).status_code == 401

    @pytest.mark.parametrize(
        ("changes", "description"),
        [
            ({"code_verifier": "x" * 43}, "PKCE verification failed: Code mismatch"),
            ({"code_verifier": "short"}, "PKCE verification failed: Invalid code verifier"),
            ({"code_verifier": ""}, "PKCE code verifier not specified"),
            ({"redirect_uri": CALLBACK + "/"}, "Incorrect redirect_uri"),
        ],
    )
    async def test_code_is_burnt_when_exchange_is_wrong(
        self, party: RelyingParty, changes: dict[str, str], description: str
    ) -> None:
        code = await party.code()
        refused = await party.exchange(code, **changes)
        assert refused.status_code == 400
        assert refused.json()["error_description"] == description
        assert refused.json()["socle_hint"]
        assert (await party.exchange(code)).json()["error_description"] == "Code not valid"

    async def test_refused_when_code_has_expired(self, party: RelyingParty) -> None:
        code = await party.code()
        async with party.database.write() as session:
            await session.execute(
                text(
                    "UPDATE psc.client_grant SET code_expires_at = now() - interval '1 s'"
                    " WHERE space = :space"
                ),
                {"space": party.space},
            )
        assert (await party.exchange(code)).json()["error_description"] == "Code is expired"

    async def test_refused_when_another_client_presents_the_code(self, party: RelyingParty) -> None:
        enrolment = {"client_id": "other", "name": "other", "loopback": True}
        made = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        code = await party.code()
        party.credentials = ("other", made.json()["secret"])
        assert "different client_id" in (await party.exchange(code)).json()["error_description"]

    async def test_secrets_are_not_in_the_database(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        async with party.database.read() as session:
            for table in ("client", "client_grant", "token", "session", "login"):
                rows = await session.execute(text(f"SELECT t::text FROM psc.{table} t"))
                dump = "".join(rows.scalars())
                assert "socle-demo-secret" not in dump
                assert tokens["refresh_token"] not in dump
                assert tokens["refresh_token"].encode().hex() not in dump


class TestClientAuthentication:
    async def test_secret_in_form_is_as_good(self, party: RelyingParty) -> None:
        form = {
            "grant_type": "authorization_code",
            "code": await party.code(),
            "redirect_uri": CALLBACK,
            "code_verifier": party.verifier,
            "client_id": "socle-demo",
            "client_secret": "socle-demo-secret",
        }
        answer = await party.http.post(f"{party.prefix}{CONNECT}/token", data=form)
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("credentials", "error"),
        [(("socle-demo", "wrong"), "unauthorized_client"), (("nobody", "x"), "invalid_client")],
    )
    async def test_challenge_comes_when_credentials_are_wrong(
        self, party: RelyingParty, credentials: tuple[str, str], error: str
    ) -> None:
        code = await party.code()
        party.credentials = credentials
        answer = await party.exchange(code)
        assert answer.status_code == 401
        assert answer.json()["error"] == error
        assert answer.headers["www-authenticate"].startswith("Basic")
        party.credentials = ("socle-demo", "socle-demo-secret")
        assert (await party.exchange(code)).status_code == 200  # a stranger burns nothing

    @pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Basic"])
    async def test_refused_when_header_is_garbage(self, party: RelyingParty, header: str) -> None:
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/token",
            data={"grant_type": "refresh_token", "refresh_token": "x"},
            headers={"Authorization": header},
        )
        assert answer.status_code == 401

    async def test_public_client_needs_pkce(self, party: RelyingParty) -> None:
        enrolment = {"client_id": "spa", "name": "spa", "public": True, "loopback": True}
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        refused = await party.authorize(
            client_id="spa", code_challenge=None, code_challenge_method=None
        )
        assert "error=invalid_request" in refused.headers["location"]
        code = await party.code(client_id="spa")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": party.verifier,
            "client_id": "spa",
        }
        answer = await party.http.post(f"{party.prefix}{CONNECT}/token", data=form)
        assert answer.status_code == 200


class TestMalformedRequests:
    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("{}", "application/json"),
            ("grant_type=%ff", "application/x-www-form-urlencoded"),
            ("grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
            ("&".join(f"p{n}=1" for n in range(200)), "application/x-www-form-urlencoded"),
            ("", "application/x-www-form-urlencoded"),
        ],
    )
    async def test_invalid_request_when_body_is_wrong(
        self, party: RelyingParty, body: str, content_type: str
    ) -> None:
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/token", content=body, headers={"Content-Type": content_type}
        )
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"

    async def test_grant_is_refused_when_unknown(self, party: RelyingParty) -> None:
        answer = await party.post("/token", grant_type="password")
        assert answer.json()["error"] == "unsupported_grant_type"

    async def test_code_is_refused_when_it_holds_nul(self, party: RelyingParty) -> None:
        assert (await party.exchange("a\x00b")).json()["error"] == "invalid_grant"


class TestRefresh:
    async def test_tokens_are_new_and_auth_time_is_kept(self, party: RelyingParty) -> None:
        first = await party.tokens()
        second = (await party.refresh(first["refresh_token"])).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert second["session_state"] == first["session_state"]
        assert (await party.userinfo(second["access_token"])).status_code == 200

    async def test_everything_is_revoked_when_refresh_token_is_reused(
        self, party: RelyingParty
    ) -> None:
        first = await party.tokens()
        second = (await party.refresh(first["refresh_token"])).json()
        reuse = await party.refresh(first["refresh_token"])
        assert reuse.json()["error_description"] == "Stale token"
        assert (await party.refresh(second["refresh_token"])).status_code == 400
        assert (await party.userinfo(second["access_token"])).status_code == 401

    async def test_one_refresh_succeeds_when_many_run_at_once(self, party: RelyingParty) -> None:
        first = await party.tokens()
        answers = await asyncio.gather(*(party.refresh(first["refresh_token"]) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]

    async def test_refused_when_session_was_idle_too_long(self, party: RelyingParty) -> None:
        first = await party.tokens()
        async with party.database.write() as session:
            await session.execute(
                text(
                    "UPDATE psc.session SET last_seen_at = now() - interval '31 minutes'"
                    " WHERE space = :space"
                ),
                {"space": party.space},
            )
        refused = await party.refresh(first["refresh_token"])
        assert refused.json()["error_description"] == "Session not active"


class TestSpaces:
    async def test_client_of_another_space_is_unknown(self, party: RelyingParty) -> None:
        client_id = f"only-{party.space}"
        enrolment = {"client_id": client_id, "name": "x", "loopback": True}
        made = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        assert made.status_code == 201
        other = RelyingParty(party.http, f"{party.space}-b", party.database)
        refused = await other.authorize(client_id=client_id)
        assert refused.status_code == 400
        assert "location" not in refused.headers

    async def test_code_and_tokens_open_nothing_in_another_space(self, party: RelyingParty) -> None:
        other = RelyingParty(
            party.http, f"{party.space}-b", party.database, verifier=party.verifier
        )
        code = await party.code()
        refused = await other.exchange(code)
        assert refused.json()["error_description"] == "Code not valid"
        tokens = (await party.exchange(code)).json()  # the attempt has burnt nothing here
        assert (await other.userinfo(tokens["access_token"])).status_code == 401
        assert (await other.refresh(tokens["refresh_token"])).status_code == 400
        seen = await other.post("/token/introspect", token=tokens["access_token"])
        assert seen.json() == {"active": False}

    async def test_space_is_the_clients_when_path_names_none(self, party: RelyingParty) -> None:
        client_id = f"only-{party.space}"
        enrolment = {"client_id": client_id, "name": "x", "loopback": True}
        made = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        rootless = RelyingParty(
            party.http, party.space, party.database, (client_id, made.json()["secret"])
        )
        answer = await party.http.get("/auth", params=rootless.request())
        assert "iss=http%3A%2F%2Flocalhost%3A8080%2Fauth%2F" in answer.headers["location"]
