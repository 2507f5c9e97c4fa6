"""The form on which a vendor registers its product."""

import html
import re

import httpx
import pytest

from .conftest import CALLBACK, RelyingParty

PAGE = "/_sandbox/psc/enrolment"


async def submit(party: RelyingParty, **fields: str) -> httpx.Response:
    form = {
        "name": "Mon logiciel", "client_id": "mon-lps", "redirect_uris": CALLBACK,
        "token_endpoint_auth_method": "client_secret_basic", "pkce": "optional", "ciba": "on",
        **fields,
    }  # fmt: skip
    return await party.http.post(party.prefix + PAGE, data=form)


class TestForm:
    async def test_registers_a_client_that_works_at_once(self, party: RelyingParty) -> None:
        answer = await submit(party)
        assert answer.status_code == 200
        secret = re.search(r"client_secret</dt><dd><code>([^<]+)<", answer.text)
        assert secret is not None
        assert f"/s/{party.space}/auth/realms/esante-wallet/.well-known/" in answer.text
        party.credentials = ("mon-lps", secret[1])
        assert (await party.tokens())["expires_in"] == 120
        assert secret[1] not in (await party.http.get(party.prefix + PAGE)).text

    async def test_says_what_is_wrong_and_keeps_what_was_typed(self, party: RelyingParty) -> None:
        answer = await submit(
            party, name="", redirect_uris="pas une adresse", jwks="{", pkce="perhaps"
        )
        assert answer.status_code == 400
        for label in ("Nom du logiciel : à remplir", "PKCE", "Clés publiques"):
            assert label in answer.text
        assert 'value="mon-lps"' in answer.text
        assert "pas une adresse" in answer.text

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"redirect_uris": "pas une adresse"}, "« pas une adresse » n’est pas une URI absolue"),
            ({"redirect_uris": "", "ciba": ""}, "une adresse au moins"),
            ({"client_id": "é"}, "ne s’écrit pas ainsi"),
            ({"secret": "court"}, "8 caractères au moins"),
            ({"name": "n" * 101}, "100 caractères au plus"),
            ({"redirect_uris": "\n".join(f"{CALLBACK}/{n}" for n in range(51))}, "50 au plus"),
            ({"pkce": "perhaps"}, "au choix"),
            ({"token_endpoint_auth_method": "private_key_jwt"}, "à remplir pour private_key_jwt"),
            ({"token_endpoint_auth_method": "tls_client_auth"}, "à remplir pour tls_client_auth"),
            ({"token_endpoint_auth_method": "none", "secret": "s" * 9}, "n’en a pas"),
            ({"token_endpoint_auth_method": "none", "pkce": "off"}, "optional ou required"),
            ({"tls_client_auth_subject_dn": "CN"}, "un nom tel que"),
            ({"jwks": "[1]"}, "n’est pas de la forme attendue"),
            ({"une_autre_case": "{x}"}, "n’est pas de la forme attendue"),
            ({"jwks": '{"keys": [{"kty": "oct", "k": "AA"}]}'}, "sans partie privée"),
        ],
    )
    async def test_says_why_in_the_language_of_the_page(
        self, party: RelyingParty, fields: dict[str, str], reason: str
    ) -> None:
        answer = await submit(party, **fields)
        assert answer.status_code == 400
        assert reason in html.unescape(answer.text)

    async def test_refuses_a_name_that_is_taken(self, party: RelyingParty) -> None:
        answer = await submit(party, client_id="socle-demo")
        assert answer.status_code == 400
        assert "a déjà un client de ce nom" in answer.text

    async def test_escapes_what_was_typed(self, party: RelyingParty) -> None:
        answer = await submit(party, client_id="<script>", name="</textarea><script>x")
        assert "<script>" not in answer.text

    async def test_is_taken_from_its_own_page_only(self, party: RelyingParty) -> None:
        answer = await party.http.post(
            party.prefix + PAGE, data={"name": "x"}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
