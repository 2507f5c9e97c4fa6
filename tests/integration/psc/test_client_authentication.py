"""Clients that authenticate by assertion or certificate, and what is refused, and why."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.clock import wall_seconds
from socle.db.database import Database
from socle.idgen import secret_token
from socle.pki import certificates
from socle.testing.apps import client_of

from .conftest import CALLBACK, CONNECT, RelyingParty

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER = "http://localhost:8080/auth/realms/esante-wallet"
CLIENTS = "/_sandbox/psc/clients"
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
GATEWAY_KEY = "test-gateway-key"


async def enrol(party: RelyingParty, **fields: Any) -> httpx.Response:
    body = {"client_id": "keyed", "name": "Logiciel", "redirect_uris": [CALLBACK], **fields}
    return await party.http.post(party.prefix + CLIENTS, json=body)


async def enrol_keyed(party: RelyingParty, key: Any = KEY, **fields: Any) -> None:
    jwks = {"keys": [key.as_dict(private=False)]}
    answer = await enrol(party, token_endpoint_auth_method="private_key_jwt", jwks=jwks, **fields)
    assert answer.status_code == 201, answer.text
    assert answer.json()["secret"] is None


def assertion(key: Any = KEY, alg: str = "ES256", **changes: Any) -> str:
    now = int(wall_seconds())
    claims = {
        "iss": "keyed", "sub": "keyed", "aud": ISSUER, "exp": now + 60, "iat": now,
        "jti": secret_token(), **changes,
    }  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, kept, key, algorithms=[alg])


async def introspect(party: RelyingParty, signed: str, **form: str) -> httpx.Response:
    """The least request that needs a client."""
    fields = {"token": "x", "client_assertion_type": TYPE, "client_assertion": signed, **form}
    return await party.http.post(
        f"{party.prefix}{CONNECT}/token/introspect",
        data={name: value for name, value in fields.items() if value},
    )


class TestAssertion:
    async def test_opens_every_endpoint_of_the_client(self, party: RelyingParty) -> None:
        await enrol_keyed(party)
        party.credentials = ("keyed", "")
        code = await party.code()
        answer = await party.http.post(
            f"{party.prefix}{CONNECT}/token",
            data={
                "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
                "code_verifier": party.verifier, "client_assertion_type": TYPE,
                "client_assertion": assertion(aud=f"{ISSUER}/protocol/openid-connect/token"),
            },
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert (await introspect(party, assertion(), token=token)).json()["active"] is True

    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # in RFC 9864, not by clients
    @pytest.mark.parametrize(
        ("key", "alg"),
        [
            (RSAKey.generate_key(2048, {"kid": "r"}), "RS256"),
            (RSAKey.generate_key(2048, {"kid": "p"}), "PS256"),
            (ECKey.generate_key("P-384", {"kid": "e"}), "ES384"),
            (OKPKey.generate_key("Ed25519", {"kid": "o"}), "EdDSA"),
        ],
    )
    async def test_may_be_signed_by_each_kind_of_key(
        self, party: RelyingParty, key: Any, alg: str
    ) -> None:
        await enrol_keyed(party, key)
        assert (await introspect(party, assertion(key, alg))).status_code == 200

    async def test_may_leave_out_the_key_identifier(self, party: RelyingParty) -> None:
        await enrol_keyed(party)
        claims = {"iss": "keyed", "sub": "keyed", "aud": [ISSUER], "jti": "a"}
        token = jwt.encode({"alg": "ES256"}, {**claims, "exp": int(wall_seconds()) + 60}, KEY)
        assert (await introspect(party, token)).status_code == 200

    async def test_is_used_once_even_when_it_comes_eight_times_at_once(
        self, party: RelyingParty
    ) -> None:
        await enrol_keyed(party)
        token = assertion()
        answers = await asyncio.gather(*(introspect(party, token) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
        refused = next(answer for answer in answers if answer.status_code == 401)
        assert refused.json()["error"] == "invalid_client"
        assert "Token reuse detected" in refused.json()["error_description"]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"exp": 1}, "not active"),
            ({"exp": None}, "not active"),
            ({"exp": "soon"}, "not active"),
            ({"exp": 10**30}, "not active"),
            ({"nbf": 10**10}, "not active"),
            ({"exp": 10**10}, "too far"),
            ({"jti": None}, "Missing ID"),
            ({"jti": ""}, "Missing ID"),
            ({"aud": "https://other.example"}, "audience"),
            ({"aud": None}, "audience"),
            ({"aud": {"a": 1}}, "audience"),
            ({"iss": "other"}, "Issuer mismatch"),
        ],
    )
    async def test_is_refused_with_the_reason(
        self, party: RelyingParty, changes: dict[str, Any], reason: str
    ) -> None:
        await enrol_keyed(party)
        answer = await introspect(party, assertion(**changes))
        assert answer.status_code == 401
        assert reason in answer.json()["error_description"]
        assert answer.json()["socle_hint"]

    async def test_is_refused_when_another_key_signed_it(self, party: RelyingParty) -> None:
        await enrol_keyed(party)
        stranger = ECKey.generate_key("P-256", {"kid": "one"})
        answer = await introspect(party, assertion(stranger))
        assert answer.status_code == 401
        assert "Signature" in answer.json()["error_description"]

    @pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "é", "eyJhbGciOiJub25lIn0.e30."])
    async def test_nonsense_is_refused(self, party: RelyingParty, token: str) -> None:
        await enrol_keyed(party)
        assert (await introspect(party, token)).status_code == 401
        assert (await introspect(party, token, client_id="keyed")).status_code == 401

    async def test_nothing_else_opens_the_client(self, party: RelyingParty) -> None:
        await enrol_keyed(party)
        for form in ({"client_secret": "guess"}, {}):
            answer = await party.http.post(
                f"{party.prefix}{CONNECT}/token/introspect",
                data={"client_id": "keyed", "token": "x", **form},
            )
            assert answer.status_code == 401
            assert "private_key_jwt" in answer.json()["socle_hint"]

    async def test_other_type_is_named(self, party: RelyingParty) -> None:
        answer = await introspect(party, assertion(), client_assertion_type="saml")
        assert "client_assertion_type" in answer.json()["error_description"]


@pytest.fixture
async def behind_gateway(
    settings_values: dict[str, Any], space: str, database: Database
) -> AsyncIterator[RelyingParty]:
    settings = PscSettings(**settings_values, gateway_key=GATEWAY_KEY)
    async with client_of(build(settings)) as http:
        yield RelyingParty(http, space, database)


def certificate(common_name: str = "lps") -> x509.Certificate:
    key = certificates.new_key()
    root = certificates.root_certificate(key)
    return certificates.client_certificate(
        certificates.new_key().public_key(), common_name, root, key
    )


def shown(presented: x509.Certificate, key: str = GATEWAY_KEY) -> dict[str, str]:
    der = base64.b64encode(presented.public_bytes(Encoding.DER)).decode()
    return {"Client-Cert": f":{der}:", "X-Socle-Gateway": key}


class TestCertificate:
    async def enrol(self, party: RelyingParty, dn: str, **fields: Any) -> None:
        answer = await enrol(
            party,
            token_endpoint_auth_method="tls_client_auth",
            tls_client_auth_subject_dn=dn,
            **fields,
        )
        assert answer.status_code == 201, answer.text

    async def ask(self, party: RelyingParty, headers: dict[str, str]) -> httpx.Response:
        return await party.http.post(
            f"{party.prefix}{CONNECT}/token/introspect",
            data={"client_id": "keyed", "token": "x"},
            headers=headers,
        )

    @pytest.mark.parametrize(
        "dn", ["CN=lps,O=Socle sandbox,C=FR", "C=FR, O=Socle sandbox, CN=lps".replace(", ", ",")]
    )
    async def test_of_the_enrolled_subject_opens(
        self, behind_gateway: RelyingParty, dn: str
    ) -> None:
        await self.enrol(behind_gateway, dn)
        assert (await self.ask(behind_gateway, shown(certificate()))).status_code == 200

    async def test_of_another_subject_is_refused_with_both_names(
        self, behind_gateway: RelyingParty
    ) -> None:
        await self.enrol(behind_gateway, "CN=lps,O=Socle sandbox,C=FR")
        answer = await self.ask(behind_gateway, shown(certificate("other")))
        assert answer.status_code == 401
        assert "CN=other" in answer.json()["socle_hint"]
        assert "CN=lps" in answer.json()["socle_hint"]

    @pytest.mark.parametrize("key", ["", "guess", "é"])
    async def test_is_worth_nothing_from_whoever_is_not_the_gateway(
        self, behind_gateway: RelyingParty, key: str
    ) -> None:
        await self.enrol(behind_gateway, "CN=lps,O=Socle sandbox,C=FR")
        headers = {name: value.encode() for name, value in shown(certificate(), key).items()}
        answer = await self.ask(behind_gateway, headers)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert "tls_client_auth" in answer.json()["socle_hint"]

    async def test_comes_from_a_trusted_proxy_as_pem_too(
        self, settings_values: dict[str, Any], space: str, database: Database
    ) -> None:
        settings = PscSettings(
            **settings_values,
            trusted_proxies="127.0.0.0/8, 10.0.0.1",
            client_cert_header="ssl-client-cert",
        )
        async with client_of(build(settings)) as http:
            party = RelyingParty(http, space, database)
            await self.enrol(party, "CN=lps,O=Socle sandbox,C=FR")
            pem = quote(certificate().public_bytes(Encoding.PEM).decode())
            assert (await self.ask(party, {"ssl-client-cert": pem})).status_code == 200
            assert (await self.ask(party, {"ssl-client-cert": "%ff:nonsense"})).status_code == 400
            assert (await self.ask(party, {"Client-Cert": pem})).status_code == 401

    async def test_binds_the_tokens_of_a_client_that_asks_for_it(
        self, behind_gateway: RelyingParty
    ) -> None:
        party, mine, other = behind_gateway, shown(certificate()), shown(certificate())
        answer = await enrol(
            party, secret="secret-of-a-client", tls_client_certificate_bound_access_tokens=True
        )
        assert answer.status_code == 201
        party.credentials = ("keyed", "secret-of-a-client")
        party.http.headers.update(mine)
        tokens = await party.tokens()
        keys = KeySet.import_key_set((await party.http.get(f"{CONNECT}/certs")).json())
        access = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
        assert len(access["cnf"]["x5t#S256"]) == 43
        assert (await party.userinfo(tokens["access_token"])).status_code == 200
        party.http.headers.update(other)
        assert (await party.userinfo(tokens["access_token"])).status_code == 401
        stolen = await party.refresh(tokens["refresh_token"])
        assert stolen.status_code == 400
        assert "did NOT match" in stolen.json()["error_description"]
        party.http.headers.update(mine)
        assert (await party.refresh(tokens["refresh_token"])).status_code == 200

    async def test_is_needed_by_a_client_whose_tokens_are_bound(self, party: RelyingParty) -> None:
        await enrol(
            party, secret="secret-of-a-client", tls_client_certificate_bound_access_tokens=True
        )
        party.credentials = ("keyed", "secret-of-a-client")
        answer = await party.exchange(await party.code())
        assert answer.json()["error"] == "invalid_request"
        assert "HoK" in answer.json()["error_description"]


class TestEnrolment:
    @pytest.mark.parametrize(
        "fields",
        [
            {"token_endpoint_auth_method": "private_key_jwt"},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": ["x"]}},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": 5}]}},
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [KEY.as_dict(private=True)]},
            },
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
            },
            {"jwks": {"keys": [KEY.as_dict(private=False)]}},
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [{**KEY.as_dict(private=False), "kid": "a\x00b"}]},
            },
            {"token_endpoint_auth_method": "tls_client_auth"},
            {
                "token_endpoint_auth_method": "tls_client_auth",
                "tls_client_auth_subject_dn": "not a name",
            },
            {"token_endpoint_auth_method": "client_secret_jwt"},
            {"token_endpoint_auth_method": "tls_client_auth", "public": True},
        ],
    )
    async def test_is_refused_when_it_is_not_coherent(
        self, party: RelyingParty, fields: dict[str, Any]
    ) -> None:
        answer = await enrol(party, **fields)
        assert answer.status_code == 400, answer.text
        assert answer.json()["problems"]

    async def test_keeps_of_a_key_what_is_public_and_needed(self, party: RelyingParty) -> None:
        key = {**KEY.as_dict(private=False), "note": "\x00", "x5c": ["\ud800"]}
        answer = await party.http.post(
            party.prefix + CLIENTS,
            content=json.dumps(
                {
                    "client_id": "keyed", "name": "Logiciel", "redirect_uris": [CALLBACK],
                    "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]},
                }
            ),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 201
        assert set(answer.json()["jwks"]["keys"][0]) == {"kty", "crv", "x", "y", "kid"}

    async def test_can_be_replaced_and_keeps_the_secret(self, party: RelyingParty) -> None:
        secret = (await enrol(party)).json()["secret"]
        body = {"client_id": "keyed", "name": "Autre", "redirect_uris": ["https://lps.example/cb"]}
        answer = await party.http.put(f"{party.prefix}{CLIENTS}/keyed", json=body)
        assert answer.json()["name"] == "Autre"
        assert answer.json()["secret"] is None
        party.credentials = ("keyed", secret)
        assert (await party.post("/token/introspect", token="x")).status_code == 200
        assert (await party.authorize()).status_code == 400  # its former address is gone

    async def test_differing_names_are_refused(self, party: RelyingParty) -> None:
        body = {"client_id": "a", "name": "A", "loopback": True}
        answer = await party.http.put(f"{party.prefix}{CLIENTS}/b", json=body)
        assert answer.status_code == 400

    async def test_ends_with_all_its_tokens(self, party: RelyingParty) -> None:
        secret = (await enrol(party)).json()["secret"]
        party.credentials = ("keyed", secret)
        tokens = await party.tokens()
        deleted = await party.http.delete(f"{party.prefix}{CLIENTS}/keyed")
        assert deleted.status_code == 204
        assert (await party.userinfo(tokens["access_token"])).status_code == 401
        assert (await party.refresh(tokens["refresh_token"])).status_code == 401
        again = await party.http.delete(f"{party.prefix}{CLIENTS}/keyed")
        assert again.status_code == 404

    async def test_can_close_ciba(self, party: RelyingParty) -> None:
        secret = (await enrol(party, ciba=False)).json()["secret"]
        party.credentials = ("keyed", secret)
        answer = await party.post(
            "/ext/ciba/auth", scope="openid scope_all", acr_values="eidas1",
            login_hint="899700427885", binding_message="42",
        )  # fmt: skip
        assert answer.status_code == 400
        assert answer.json()["error_description"] == "Client not allowed OIDC CIBA Grant"

    async def test_can_approve_every_request_at_once(self, party: RelyingParty) -> None:
        secret = (await enrol(party, auto_approve=True)).json()["secret"]
        party.credentials = ("keyed", secret)
        started = await party.post(
            "/ext/ciba/auth", scope="openid scope_all", acr_values="eidas1",
            login_hint="899700427885", binding_message="42",
        )  # fmt: skip
        answer = await party.post(
            "/token",
            grant_type="urn:openid:params:grant-type:ciba",
            auth_req_id=started.json()["auth_req_id"],
        )
        assert answer.status_code == 200, answer.text
