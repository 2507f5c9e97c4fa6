"""openid-client (npm), which is certified and strict: it checks iss, signatures and every claim."""

from typing import Any

import pytest

from socle.pki import SandboxCa

from .conftest import GENERALIST, REDIRECT, Scripts, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres, pytest.mark.node]


class TestCode:
    @pytest.mark.parametrize("pushed", [False, True], ids=["plain", "par"])
    def test_walks_the_whole_session(self, vendor: Vendor, scripts: Scripts, pushed: bool) -> None:
        told = scripts.start("code.js", vendor.setting(pushed=pushed)).told()
        assert told["userinfo"]["SubjectNameID"] == GENERALIST
        assert told["introspected"]["active"] is True
        assert told["goodbye"] == f"{REDIRECT}?state=bye"
        assert told["activeAfterLogout"] is False
        assert told["refreshedAnew"] is True

    def test_reads_signed_userinfo(self, vendor: Vendor, scripts: Scripts) -> None:
        enrolled = vendor.control(
            "POST",
            "/clients",
            {
                "client_id": "signed", "name": "Logiciel", "loopback": True,
                "userinfo_signed_response_alg": "RS256",
            },
        )  # fmt: skip
        setting = vendor.setting(clientId="signed", secret=enrolled["secret"], signed=True)
        assert scripts.start("code.js", setting).told()["userinfo"]["family_name"] == "DOC0042788"

    @pytest.mark.parametrize("alg", ["ES256", "PS256", "Ed25519"])
    def test_signs_its_assertions(self, vendor: Vendor, scripts: Scripts, alg: str) -> None:
        setting = vendor.setting(
            clientId="keyed", enrolment=f"{vendor.url}/_sandbox/psc/clients", alg=alg
        )
        told = scripts.start("key.js", setting).told()
        assert told["claims"]["SubjectNameID"] == GENERALIST
        assert told["introspected"]["client_id"] == "keyed"

    def test_presents_a_certificate(self, vendor: Vendor, scripts: Scripts) -> None:
        ca = SandboxCa.open(vendor.stack.home / "ca")
        mine = ca.client("lps.example", "318751275100020")
        vendor.control(
            "POST",
            "/clients",
            {
                "client_id": "mtls", "name": "Logiciel", "redirect_uris": [REDIRECT],
                "token_endpoint_auth_method": "tls_client_auth",
                "tls_client_auth_subject_dn": "CN=lps.example,OU=318751275100020,O=Socle sandbox,C=FR",
                "tls_client_certificate_bound_access_tokens": True,
            },
        )  # fmt: skip
        setting = vendor.setting(
            clientId="mtls", ca=str(ca.root), certificate=str(mine.certificate), key=str(mine.key)
        )
        told = scripts.start("certificate.js", setting).told()
        assert told["userinfo"]["SubjectNameID"] == GENERALIST
        assert len(told["introspected"]["cnf"]["x5t#S256"]) == 43


def waiting(vendor: Vendor) -> Any:
    [request] = vendor.control("GET", "/requests?status=pending")
    return request


class TestCiba:
    def test_gets_tokens_once_the_phone_has_approved(
        self, vendor: Vendor, scripts: Scripts
    ) -> None:
        script = scripts.start("ciba.js", vendor.setting())
        assert script.told() == {"expires_in": 120, "interval": 1}
        request = waiting(vendor)
        assert request["number"] == "42"
        vendor.control(
            "POST", f"/requests/{request['id']}/approve", {"number": "42", "pin": "1234"}
        )
        told = script.told()
        assert told["userinfo"]["SubjectNameID"] == GENERALIST
        assert told["session"] is True

    @pytest.mark.parametrize(
        ("answer", "error"), [("refuse", "access_denied"), ("expire", "expired_token")]
    )
    def test_is_told_why_it_gets_none(
        self, vendor: Vendor, scripts: Scripts, answer: str, error: str
    ) -> None:
        script = scripts.start("ciba.js", vendor.setting())
        script.told()
        vendor.control("POST", f"/requests/{waiting(vendor)['id']}/{answer}")
        assert script.told()["error"] == error
