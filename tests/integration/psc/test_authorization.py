"""The authorization endpoint: codes, redirected refusals, and pages where redirecting is unsafe."""

import re
from urllib.parse import urlencode

import httpx
import pytest

from .conftest import CALLBACK, CONNECT, GENERALIST, SPECIALIST, RelyingParty, callback_of

REALM_PATH = f"{CONNECT}/auth"


class TestApproval:
    @pytest.mark.parametrize("path", ["/auth", "/auth/", REALM_PATH])
    async def test_code_state_iss_and_session_state_come_back_when_hinted(
        self, party: RelyingParty, path: str
    ) -> None:
        back = callback_of(await party.authorize_at(path))
        assert back["state"] == "s-1"
        assert back["iss"] == f"http://localhost:8080/s/{party.space}/auth/realms/esante-wallet"
        assert set(back) == {"state", "iss", "code", "session_state"}

    async def test_second_login_is_silent_when_session_lives(self, party: RelyingParty) -> None:
        first = callback_of(await party.authorize())
        second = callback_of(await party.authorize(login_hint=None, prompt="none"))
        assert second["session_state"] == first["session_state"]
        assert second["code"] != first["code"]

    async def test_new_session_opens_when_another_person_is_hinted(
        self, party: RelyingParty
    ) -> None:
        first = callback_of(await party.authorize())
        second = callback_of(await party.authorize(login_hint=SPECIALIST))
        assert second["session_state"] != first["session_state"]

    async def test_login_is_required_when_prompt_is_none_without_session(
        self, party: RelyingParty
    ) -> None:
        back = callback_of(await party.authorize(prompt="none", login_hint=None))
        assert back["error"] == "login_required"

    async def test_request_is_taken_when_posted(self, party: RelyingParty) -> None:
        answer = await party.http.post(f"{party.prefix}/auth", data=party.request())
        assert answer.status_code == 303
        assert "code" in callback_of(answer)

    async def test_redirect_uri_may_use_any_port_when_loopback(self, party: RelyingParty) -> None:
        answer = await party.authorize(redirect_uri="http://localhost:54321/a/b?c=d")
        assert answer.headers["location"].startswith("http://localhost:54321/a/b?c=d&state=s-1&")

    async def test_answer_is_in_fragment_when_asked(self, party: RelyingParty) -> None:
        answer = await party.authorize(response_mode="fragment")
        assert answer.headers["location"].startswith(f"{CALLBACK}#state=s-1&")


class TestRedirectedRefusals:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scope": None}, "invalid_scope"),
            ({"scope": "openid"}, "invalid_scope"),
            ({"scope": "openid scope_all nonsense"}, "invalid_scope"),
            ({"acr_values": None}, "invalid_request"),
            ({"acr_values": "eidas2"}, "invalid_request"),
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": "S512"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"request": "e30.e30."}, "request_not_supported"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"nonce": "a\x00b"}, "invalid_request"),
            ({"login_hint": "899703001067"}, "access_denied"),
        ],
    )
    async def test_error_and_state_come_back_when_request_is_wrong(
        self, party: RelyingParty, changes: dict[str, str | None], error: str
    ) -> None:
        back = callback_of(await party.authorize(**changes))
        assert (back["error"], back["state"]) == (error, "s-1")
        assert back["error_description"]
        assert back["iss"].endswith("/auth/realms/esante-wallet")
        assert "code" not in back

    async def test_refusal_names_acr_values_when_acr_was_sent(self, party: RelyingParty) -> None:
        back = callback_of(await party.authorize(acr_values=None, acr="eidas1"))
        assert back["error_description"] == "Missing parameter: acr_values"
        assert "whose name is acr_values" in back["socle_hint"]

    async def test_refused_when_parameter_is_repeated(self, party: RelyingParty) -> None:
        query = urlencode([*party.request().items(), ("nonce", "n-2")])
        back = callback_of(await party.http.get(f"{party.prefix}/auth?{query}"))
        assert back["error_description"] == "duplicated parameter"


class TestErrorPages:
    @pytest.mark.parametrize(
        "uri",
        [
            None,
            "https://evil.example/callback",
            "http://127.0.0.1:80@evil.example/",
            "http://localhost.evil.example/",
            "http://user@localhost/",
            "http://localhost/\\evil",
            "http://localhost/#fragment",
            "https://localhost/",
            "javascript:alert(1)",
            "//localhost/",
            "http://localhost:99999/",
        ],
    )
    async def test_page_and_no_redirect_when_uri_is_not_registered(
        self, party: RelyingParty, uri: str | None
    ) -> None:
        answer = await party.authorize(redirect_uri=uri)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "redirect_uri" in answer.text
        assert "enregistré" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")

    @pytest.mark.parametrize("client_id", [None, "nobody", "a\x00b"])
    async def test_page_when_client_is_unknown(
        self, party: RelyingParty, client_id: str | None
    ) -> None:
        answer = await party.authorize(client_id=client_id)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "client_id" in answer.text

    async def test_text_is_french_and_marks_what_is_not_when_refused(
        self, party: RelyingParty
    ) -> None:
        answer = await party.authorize(client_id="nobody")
        assert '<html lang="fr">' in answer.text
        assert "n’est pas enregistré dans cet espace" in answer.text
        assert '<code lang="en">Client not found.</code>' in answer.text

    async def test_page_when_query_is_not_utf8(self, party: RelyingParty) -> None:
        answer = await party.http.get(f"{party.prefix}/auth?client_id=%ff")
        assert answer.status_code == 400
        assert "text/html" in answer.headers["content-type"]


class TestLoginPage:
    async def _open(self, party: RelyingParty, **changes: str | None) -> dict[str, str]:
        answer = await party.authorize(**{"login_hint": None, **changes})
        assert answer.status_code == 200
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))

    async def _choose(
        self, party: RelyingParty, form: dict[str, str], choice: str
    ) -> httpx.Response:
        path = f"{party.prefix}/auth/realms/esante-wallet/login-actions/authenticate"
        return await party.http.post(path, data={**form, "choice": choice})

    async def test_code_comes_back_when_person_is_clicked(self, party: RelyingParty) -> None:
        back = callback_of(await self._choose(party, await self._open(party), f"CARD:{GENERALIST}"))
        answer = await party.exchange(back["code"])
        assert answer.status_code == 200
        assert back["state"] == "s-1"

    async def test_access_denied_comes_back_when_person_cancels(self, party: RelyingParty) -> None:
        back = callback_of(await self._choose(party, await self._open(party), "cancel"))
        assert back["error"] == "access_denied"

    async def test_page_is_answered_once(self, party: RelyingParty) -> None:
        form = await self._open(party)
        await self._choose(party, form, f"MOBILE:{GENERALIST}")
        again = await self._choose(party, form, f"MOBILE:{GENERALIST}")
        assert again.status_code == 400

    async def test_refused_when_browser_is_another(self, party: RelyingParty) -> None:
        form = await self._open(party)
        party.http.cookies.clear()
        assert (await self._choose(party, form, f"MOBILE:{GENERALIST}")).status_code == 400

    @pytest.mark.parametrize("choice", ["", "MOBILE:nobody", "FAX:899700427885", "MOBILE:\x00"])
    async def test_another_choice_can_follow_when_choice_was_wrong(
        self, party: RelyingParty, choice: str
    ) -> None:
        form = await self._open(party)
        assert (await self._choose(party, form, choice)).status_code == 400
        assert "code" in callback_of(await self._choose(party, form, f"MOBILE:{GENERALIST}"))

    async def test_page_says_so_when_hinted_person_is_unknown(self, party: RelyingParty) -> None:
        answer = await party.authorize(login_hint="899700000000")
        assert "Aucun professionnel" in answer.text

    async def test_markup_is_escaped_when_client_name_holds_some(self, party: RelyingParty) -> None:
        enrolment = {"client_id": "x", "name": "<script>1</script>", "loopback": True}
        made = await party.http.post(f"{party.prefix}/_sandbox/psc/clients", json=enrolment)
        assert made.status_code == 201
        answer = await party.authorize(client_id="x", login_hint=None)
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
