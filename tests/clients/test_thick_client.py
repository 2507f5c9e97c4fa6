"""A thick client behind the Proxy e-Santé: through the gateway, to a service and back."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.support import eventually

from .conftest import GENERALIST, Vendor
from .test_openid_client import waiting

pytestmark = [pytest.mark.stack, pytest.mark.postgres]


def approve_when_asked(vendor: Vendor) -> None:
    assert eventually(lambda: bool(vendor.control("GET", "/requests?status=pending")))
    vendor.control("POST", f"/requests/{waiting(vendor)['id']}/approve", {})


def test_reaches_a_service_with_a_cookie_alone(vendor: Vendor) -> None:
    asked = {
        "nationalId": GENERALIST, "bindingMessage": "42", "clientId": "socle-demo",
        "channel": "MOBILE",
    }  # fmt: skip
    with httpx.Client(base_url=vendor.url, timeout=60) as thick, ThreadPoolExecutor() as pool:
        approval = pool.submit(approve_when_asked, vendor)
        opened = thick.post("/connect", json=asked)
        approval.result()
        assert opened.status_code == 200, opened.text
        answer = thick.get("/send/usage/indicators/SU4", params={"structure": "1B0064166"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["indicator"] == "SU4", answer.text
        refused = thick.get("/send/dmp/DocumentReference")  # without patient: FHIR's own refusal
        assert refused.status_code == 400
        assert refused.json()["resourceType"] == "OperationOutcome"
        assert thick.delete("/disconnect").status_code == 200
        assert thick.get("/send/usage/indicators/SU4").status_code == 401
