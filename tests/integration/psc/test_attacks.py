"""Known attacks on OAuth and on the pages, each tried (RFC 9700; OWASP on sessions and forms)."""

from urllib.parse import urlencode

import httpx
import pytest

from services.psc.domain.pkce import s256
from socle.idgen import secret_token

from .conftest import CALLBACK, CONNECT, GENERALIST, SPECIALIST, RelyingParty, callback_of

EVIL = "https://evil.example"


class TestOpenRedirect:
    @pytest.mark.parametrize(
        "uri",
        [
            EVIL,
            "//evil.example",
            "http://127.0.0.1:8765@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:8765\\@evil.example/callback",
            "http://localhost%2eevil.example/",
            "http://[::1].evil.example/",
            "javascript://127.0.0.1/%0aalert(1)",
            "data:text/html,x",
            "http://127.0.0.1:8765/callback#@evil.example",
            "http://127.0.0.1:8765/callback\r\nLocation: https://evil.example",
            "http://127.0.0.1:99999999/",
            " http://127.0.0.1:8765/callback",
        ],
    )
    async def test_nobody_is_sent_to_an_address_that_is_not_registered(
        self, party: RelyingParty, uri: str
    ) -> None:
        for changes in ({}, {"scope": "none"}, {"prompt": "none"}):
            answer = await party.authorize(redirect_uri=uri, **changes)
            assert answer.status_code == 400
            assert "location" not in answer.headers

    @pytest.mark.parametrize("uri", [EVIL, "//evil.example", "javascript:alert(1)"])
    async def test_nor_after_logout(self, party: RelyingParty, uri: str) -> None:
        tokens = await party.tokens()
        answer = await party.http.get(
            f"{party.prefix}{CONNECT}/logout",
            params={"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": uri},
            follow_redirects=False,
        )
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert (await party.userinfo(tokens["access_token"])).status_code == 200

    async def test_state_cannot_split_the_answer(self, party: RelyingParty) -> None:
        answer = await party.authorize(state="x\r\nSet-Cookie: a=b")
        assert "set-cookie" not in answer.headers
        assert callback_of(answer)["error"] == "invalid_request"


class TestCodeInjection:
    async def test_stolen_code_is_worth_nothing_without_its_verifier(
        self, party: RelyingParty
    ) -> None:
        code = await party.code()
        for changes in ({"code_verifier": secret_token(48)}, {"code_verifier": ""}):
            answer = await party.exchange(code, **changes)
            assert answer.status_code == 400
        assert (await party.exchange(code)).status_code == 400  # burnt by the attempt

    async def test_challenge_cannot_be_stripped(self, party: RelyingParty) -> None:
        """A code asked for without challenge does not take the verifier of another request."""
        code = await party.code(code_challenge=None, code_challenge_method=None)
        assert (await party.exchange(code)).json()["error"] == "invalid_grant"

    async def test_challenge_in_clear_is_not_enough_where_it_is_required(
        self, party: RelyingParty
    ) -> None:
        body = {
            "client_id": "strict", "name": "Strict", "pkce": "required",
            "redirect_uris": [CALLBACK],
        }  # fmt: skip
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=body)
        for changes in (
            {"code_challenge_method": "plain", "code_challenge": party.verifier},
            {"code_challenge": None, "code_challenge_method": None},
        ):
            answer = callback_of(await party.authorize(client_id="strict", **changes))
            assert answer["error"] == "invalid_request"
            assert "code" not in answer

    async def test_code_of_another_address_is_refused(self, party: RelyingParty) -> None:
        code = await party.code()
        other = "http://127.0.0.1:9999/other"
        assert (await party.exchange(code, redirect_uri=other)).status_code == 400


class TestMixUp:
    async def test_answer_names_its_issuer_and_its_code_opens_no_other(
        self, party: RelyingParty, http: httpx.AsyncClient
    ) -> None:
        other = RelyingParty(http, f"{party.space}-b", party.database, verifier=party.verifier)
        await other.tokens()  # the space is there, with a client of the same name and secret
        http.cookies.clear()
        answer = callback_of(await party.authorize())
        assert answer["iss"].endswith(f"/s/{party.space}/auth/realms/esante-wallet")
        assert (await other.exchange(answer["code"])).status_code == 400
        assert (await party.exchange(answer["code"])).status_code == 200


class TestSessionFixation:
    async def test_cookie_of_an_attacker_never_becomes_a_session(self, party: RelyingParty) -> None:
        planted = secret_token()
        path = f"{party.prefix}/auth"
        party.http.cookies.set("PSC_SESSION", planted, domain="socle.test", path=path)
        answer = await party.authorize()
        [given] = [
            value for value in answer.headers.get_list("set-cookie") if "PSC_SESSION" in value
        ]
        assert planted not in given
        assert "HttpOnly" in given
        assert "samesite=lax" in given.lower()
        attacker = await party.http.get(
            f"{party.prefix}/auth?{urlencode(party.request(login_hint=None, prompt='none'))}",
            headers={"Cookie": f"PSC_SESSION={planted}"},
            follow_redirects=False,
        )
        assert callback_of(attacker)["error"] == "login_required"

    async def test_each_login_has_a_new_one(self, party: RelyingParty) -> None:
        first = await party.authorize()
        second = await party.authorize(login_hint=SPECIALIST)
        cookies = [answer.headers["set-cookie"].partition(";")[0] for answer in (first, second)]
        assert cookies[0] != cookies[1]

    async def test_one_session_is_not_another_persons(self, party: RelyingParty) -> None:
        """A new hint under a living session logs the other person in; nothing is mixed."""
        await party.authorize()
        tokens = await party.tokens(login_hint=SPECIALIST)
        userinfo = (await party.userinfo(tokens["access_token"])).json()
        assert userinfo["SubjectNameID"] == SPECIALIST


class TestForgedForms:
    async def test_login_form_of_another_site_logs_nobody_in(self, party: RelyingParty) -> None:
        """The page's own number is not enough: the browser must be the one that opened it."""
        page = await party.authorize(login_hint=None)
        login = page.text.partition('name="login" value="')[2].partition('"')[0]
        party.http.cookies.clear()
        answer = await party.http.post(
            f"{party.prefix}/auth/realms/esante-wallet/login-actions/authenticate",
            data={"login": login, "space": party.space, "choice": f"MOBILE:{GENERALIST}"},
            headers={"Origin": EVIL},
            follow_redirects=False,
        )
        assert answer.status_code == 400
        assert "location" not in answer.headers

    async def test_pages_cannot_be_framed(self, party: RelyingParty) -> None:
        for answer in (
            await party.authorize(login_hint=None),
            await party.http.get(f"{party.prefix}/_sandbox/psc/phone"),
            await party.http.get(f"{party.prefix}/_sandbox/psc/enrolment"),
            await party.authorize(redirect_uri=EVIL),
        ):
            assert answer.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


class TestReplay:
    async def test_tokens_of_one_client_serve_no_other(self, party: RelyingParty) -> None:
        tokens = await party.tokens()
        body = {"client_id": "thief", "name": "Thief", "loopback": True, "secret": "thief-secret"}
        await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=body)
        party.credentials = ("thief", "thief-secret")
        assert (await party.refresh(tokens["refresh_token"])).status_code == 400
        revoked = await party.post("/revoke", token=tokens["refresh_token"])
        assert revoked.status_code == 400
        party.credentials = ("socle-demo", "socle-demo-secret")
        assert (await party.refresh(tokens["refresh_token"])).status_code == 200

    async def test_unsigned_and_resigned_tokens_are_refused(self, party: RelyingParty) -> None:
        token = (await party.tokens())["access_token"]
        header, payload, signature = token.split(".")
        none = "eyJhbGciOiJub25lIn0"
        for forged in (
            f"{none}.{payload}.",
            f"{none}.{payload}.{signature}",
            f"{header}.{payload}.",
            f"{header}.{payload}.{s256('x' * 43)}",
        ):
            assert (await party.userinfo(forged)).status_code == 401
