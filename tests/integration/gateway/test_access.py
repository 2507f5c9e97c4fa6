"""The gateway's own check of tokens, in the two forms that its callers read."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from socle.auth.keys import RemoteKeys
from socle.clock import wall_seconds
from socle.testing.tokens import TokenMint, new_key

from .conftest import Running, Service

SPACE = "demo"


def unsigned(mint: TokenMint) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, mint.claims(SPACE))
    encoded = (base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts)
    return ".".join(encoded) + "."


def signed_by_another(mint: TokenMint) -> str:
    return mint.sign(mint.claims(SPACE), key=new_key())


REFUSED: dict[str, tuple[Callable[[TokenMint], str | None], int, str]] = {
    "absent": (lambda _: None, 401, "token_missing"),
    "not a token": (lambda _: "abc", 401, "token_malformed"),
    "expired": (lambda mint: mint.token(SPACE, exp=wall_seconds() - 1), 401, "token_expired"),
    "wrong issuer": (
        lambda mint: mint.token(SPACE, iss="https://elsewhere.example/auth"),
        401,
        "token_issuer",
    ),
    "alg=none": (unsigned, 401, "token_algorithm"),
    "other key": (signed_by_another, 401, "token_signature"),
    "identity token": (lambda mint: mint.token(SPACE, typ="ID"), 401, "token_type"),
    "other space": (lambda mint: mint.token("another"), 403, "token_space"),
}


def of_outcome(answer: httpx.Response) -> str:
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert body["resourceType"] == "OperationOutcome"
    code: str = body["issue"][0]["details"]["coding"][0]["code"]
    return code


def of_json(answer: httpx.Response) -> str:
    body: dict[str, Any] = answer.json()
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    code: str = body["error"]
    return code


FORMS = {"/dmp/fhir/DocumentReference": of_outcome, "/usage/indicators/SU4": of_json}


class TestRefusal:
    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize("case", REFUSED)
    async def test_answers_in_the_form_of_the_path_when_the_token_does_not_admit(
        self, running: Running, service: Service, mint: TokenMint, case: str, path: str
    ) -> None:
        token_of, status, code = REFUSED[case]
        token = token_of(mint)
        headers = {"Authorization": f"Bearer {token}"} if token else {}

        answer = await running.http.post(f"/s/{SPACE}{path}", headers=headers, content=b"{}")

        assert (answer.status_code, FORMS[path](answer)) == (status, code)
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert service.seen == []

    @pytest.mark.parametrize(
        "target", ["/%64mp/fhir/DocumentReference", "/dmp%2Ffhir/x", "/s/%64emo/usage/x"]
    )
    async def test_reads_the_path_as_the_service_does_when_it_is_encoded(
        self, running: Running, service: Service, target: str
    ) -> None:
        assert (await running.http.get(target)).status_code == 401
        assert service.seen == []

    async def test_answers_401_when_the_scheme_is_not_bearer(self, running: Running) -> None:
        answer = await running.http.get("/usage/x", auth=("user", "password"))
        assert (answer.status_code, of_json(answer)) == (401, "token_malformed")

    async def test_answers_503_when_no_key_can_be_had(
        self, running: Running, mint: TokenMint, closed_port: str
    ) -> None:
        running.gateway.verifier.keys = RemoteKeys(closed_port)
        answer = await running.http.get("/usage/x", headers=mint.headers(SPACE))
        assert (answer.status_code, of_json(answer)) == (503, "psc_unavailable")


class TestAdmission:
    @pytest.mark.parametrize("prefix", ["", f"/s/{SPACE}"])
    async def test_passes_the_token_on_when_it_is_live(
        self, running: Running, service: Service, mint: TokenMint, prefix: str
    ) -> None:
        headers = mint.headers(SPACE)
        answer = await running.http.get(f"{prefix}/usage/x", headers=headers)
        assert answer.status_code == 200
        assert service.seen[0].all("authorization") == [headers["Authorization"]]

    @pytest.mark.parametrize(
        "path",
        [
            "/auth/realms",
            "/lps",
            "/dmp/fhir/metadata",
            "/si-dmp-server/v2/services/registry",
            "/fhir/v2/Practitioner",
            "/_sandbox/clock",
            "/_sandbox/ins/people",
        ],
    )
    async def test_leaves_the_check_to_the_service_when_the_route_says_so(
        self, running: Running, service: Service, path: str
    ) -> None:
        assert (await running.http.get(path)).status_code == 200
        assert [seen.target for seen in service.seen] == [path.encode()]
