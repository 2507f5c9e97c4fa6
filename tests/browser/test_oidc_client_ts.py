"""oidc-client-ts (npm) in Chromium: an application without a server of its own."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.async_api import Page

from socle.testing.stack import Stack
from tests.clients.packages import PACKAGES, SCRIPTS, node_with_packages
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.postgres, pytest.mark.node]
BUNDLE = PACKAGES / "oidc-client-ts/dist/browser/oidc-client-ts.min.js"


class _Application(BaseHTTPRequestHandler):
    """The page at every path, and the library as it was published."""

    def do_GET(self) -> None:
        script = self.path.endswith(".js")
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write((BUNDLE if script else SCRIPTS / "spa.html").read_bytes())

    def log_message(self, *_arguments: Any) -> None:
        """Tests tell what failed."""


@pytest.fixture
def application() -> Iterator[str]:
    node_with_packages()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Application) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        yield client


async def told(page: Page) -> dict[str, Any]:
    await page.wait_for_function("document.getElementById('result').textContent !== ''")
    return dict(json.loads(await page.text_content("#result") or ""))


async def test_logs_in_refreshes_and_logs_out(
    stack: Stack, space: str, page: Page, application: str, http: httpx.AsyncClient
) -> None:
    url = f"{stack.url}/s/{space}"
    enrolled = await http.post(
        f"{url}/_sandbox/psc/clients",
        json={
            "client_id": "spa", "name": "Application", "public": True, "pkce": "required",
            "redirect_uris": [f"{application}/callback"],
            "post_logout_redirect_uris": [f"{application}/bye"],
        },
    )  # fmt: skip
    assert enrolled.status_code == 201, enrolled.text
    issuer = f"{url}/auth/realms/esante-wallet"
    setting = {
        "issuer": issuer,
        "discovery": f"{issuer}/.well-known/wallet-openid-configuration",
        "clientId": "spa",
    }
    await page.goto(application)
    await page.evaluate("text => sessionStorage.setItem('setting', text)", json.dumps(setting))
    await page.reload()
    await page.click("#login")
    await page.click("li:has-text('899700427885') button[value^=MOBILE]")
    await page.wait_for_url(f"{application}/callback*")
    first = await told(page)
    assert first.get("profile", {}).get("SubjectNameID") == "899700427885", first
    assert first["profile"]["SubjectRefPro"]["exercices"]  # from userinfo
    await page.evaluate("document.getElementById('result').textContent = ''")
    await page.click("#refresh")
    second = await told(page)
    assert second.get("refreshed") not in (None, first["access"]), second
    await page.click("#logout")
    await page.wait_for_url(f"{application}/bye*")
    assert await told(page) == {"bye": True}
    dead = await http.get(
        f"{issuer}/protocol/openid-connect/userinfo",
        headers={"Authorization": f"Bearer {second['refreshed']}"},
    )
    assert dead.status_code == 401
