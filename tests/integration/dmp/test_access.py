"""Who may come in: every bad token is refused in FHIR's form, and nothing is stored."""

import base64

import httpx
import orjson
import pytest
from joserfc.jwk import RSAKey

from socle.clock import wall_seconds
from socle.testing.tokens import TokenMint, new_key

from .conftest import FHIR, NOTHING, Dmp, rules
from .samples import document


@pytest.fixture(scope="module")
def stranger() -> RSAKey:
    return new_key()


def unsigned(claims: dict[str, object]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


async def tried(dmp: Dmp, headers: dict[str, str], path: str = FHIR) -> httpx.Response:
    response = await dmp.http.post(path, json=document().bundle, headers=headers)
    assert await dmp.stored() == NOTHING
    return response


def challenged(response: httpx.Response, code: str) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="socle"')
    assert rules(response).keys() == {code}
    assert response.json()["issue"][0]["code"] == "login"


class TestToken:
    async def test_challenges_when_it_is_absent(self, dmp: Dmp) -> None:
        response = await tried(dmp, {})

        challenged(response, "token_missing")
        # RFC 6750 §3.1: without credentials, no error code.
        assert "error=" not in response.headers["www-authenticate"]

    @pytest.mark.parametrize(
        "value", ["Bearer", "Basic eDp5", "Bearer x.y.z", "Bearer " + "x" * 20_000]
    )
    async def test_challenges_when_it_is_no_token(self, dmp: Dmp, value: str) -> None:
        challenged(await tried(dmp, {"Authorization": value}), "token_malformed")

    async def test_challenges_when_it_has_expired(self, dmp: Dmp, mint: TokenMint) -> None:
        token = mint.token(dmp.space, exp=wall_seconds() - 1)
        response = await tried(dmp, {"Authorization": f"Bearer {token}"})

        challenged(response, "token_expired")
        assert 'error="invalid_token"' in response.headers["www-authenticate"]

    async def test_challenges_when_another_issued_it(self, dmp: Dmp, mint: TokenMint) -> None:
        token = mint.token(dmp.space, iss="https://elsewhere.example/realms/esante-wallet")
        challenged(await tried(dmp, {"Authorization": f"Bearer {token}"}), "token_issuer")

    async def test_challenges_when_it_is_not_signed(self, dmp: Dmp, mint: TokenMint) -> None:
        token = unsigned(mint.claims(dmp.space))
        challenged(await tried(dmp, {"Authorization": f"Bearer {token}"}), "token_algorithm")

    async def test_challenges_when_another_key_signed_it(
        self, dmp: Dmp, mint: TokenMint, stranger: RSAKey
    ) -> None:
        token = mint.sign(mint.claims(dmp.space), key=stranger)
        challenged(await tried(dmp, {"Authorization": f"Bearer {token}"}), "token_signature")

    async def test_challenges_when_its_claims_were_changed(self, dmp: Dmp, mint: TokenMint) -> None:
        head, _, signature = mint.token("another").split(".")
        body = unsigned(mint.claims(dmp.space)).split(".")[1]
        token = f"{head}.{body}.{signature}"
        challenged(await tried(dmp, {"Authorization": f"Bearer {token}"}), "token_signature")

    async def test_forbids_when_it_is_of_another_space(self, dmp: Dmp, mint: TokenMint) -> None:
        response = await tried(dmp, mint.headers("another"), f"/s/{dmp.space}{FHIR}")

        assert response.status_code == 403
        assert rules(response).keys() == {"token_space"}

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/DocumentReference?identifier=1"),
            ("POST", "/DocumentReference/_search"),
            ("GET", "/DocumentReference/01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"),
            ("GET", "/Binary/01936a5c-7a10-7c3e-9b52-4f1d2c3b5a69"),
        ],
    )
    async def test_challenges_at_every_door_when_it_is_absent(
        self, dmp: Dmp, method: str, path: str
    ) -> None:
        challenged(await dmp.http.request(method, f"{FHIR}{path}"), "token_missing")

    async def test_is_not_asked_for_when_the_capabilities_are_read(self, dmp: Dmp) -> None:
        response = await dmp.http.get(f"{FHIR}/metadata")

        assert response.status_code == 200
        assert response.json()["resourceType"] == "CapabilityStatement"
