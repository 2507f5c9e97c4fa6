"""The directory in the test's own process, asked with a key as its clients do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.mss.annuaire.seed import DEMO_KEY
from services.mss.app import build
from services.mss.settings import MssSettings
from socle.idgen import random_uuid
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint


@dataclass
class Directory:
    app: Any
    http: httpx.AsyncClient
    mint: TokenMint
    space: str
    key: str = DEMO_KEY

    @property
    def base(self) -> str:
        return f"/s/{self.space}/fhir/v2"

    async def get(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        sent = {"ESANTE-API-KEY": key or self.key, **headers}
        return await self.http.get(f"{self.base}{path}", headers=sent)

    async def search(self, path: str, key: str | None = None) -> dict[str, Any]:
        answer = await self.get(path, key)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def found(self, path: str, key: str | None = None) -> list[dict[str, Any]]:
        """The resources that match."""
        return matches(await self.search(path, key))

    async def refusal(self, path: str, status: int = 400) -> list[str]:
        """The diagnostics of a refused request."""
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("application/fhir+json")
        return [issue["diagnostics"] for issue in answer.json()["issue"]]

    async def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.request(method, f"/s/{self.space}/_sandbox/mss{path}", json=body)


def matches(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]


def included(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "include"]


def families(resources: list[dict[str, Any]]) -> set[str]:
    return {one["name"][0]["family"] for one in resources}


@pytest.fixture(scope="session")
async def seeded(
    database_url: str, mint: TokenMint, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Directory]:
    """One space for the tests that only read."""
    settings = MssSettings(
        database_url=database_url,
        pseudonym_key=SecretStr("test-pseudonym-key"),
        home=tmp_path_factory.mktemp("annuaire"),
        mss_smtp_port=0,
        mss_imap_port=0,
        mss_peer_port=0,
        mss_mllp_port=0,
        mss_mllp_tls_port=0,
        mss_couriers=0,  # another home: its authority is not that of the other tests
    )
    app = build(settings)
    async with client_of(app, mint) as http:
        yield Directory(app, http, mint, f"t-{random_uuid().hex[:20]}")


@pytest.fixture
def directory(seeded: Directory, space: str) -> Directory:
    """A space of the test's own."""
    return replace(seeded, space=space)
