"""The PSC service in the test's process, and a relying party that knows only the contract."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import orjson
import pytest
from sqlalchemy import text

from services.psc.app import build
from services.psc.domain.pkce import s256
from services.psc.settings import PscSettings
from socle.db.database import Database
from socle.idgen import secret_token
from socle.testing.apps import client_of

REALM = "/auth/realms/esante-wallet"
CONNECT = f"{REALM}/protocol/openid-connect"
GENERALIST = "899700427885"
SPECIALIST = "899700218896"
CALLBACK = "http://127.0.0.1:8765/callback"


@dataclass
class RelyingParty:
    """The seeded client of one space, by the paths of the real service."""

    http: httpx.AsyncClient
    space: str
    database: Database
    credentials: tuple[str, str] = ("socle-demo", "socle-demo-secret")
    verifier: str = field(default_factory=lambda: secret_token(48))

    @property
    def prefix(self) -> str:
        return f"/s/{self.space}"

    def request(self, **changes: str | None) -> dict[str, str]:
        """A right authorization request; a parameter changed to None is left out."""
        parameters = {
            "response_type": "code",
            "client_id": self.credentials[0],
            "redirect_uri": CALLBACK,
            "scope": "openid scope_all",
            "acr_values": "eidas1",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
            "login_hint": GENERALIST,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    async def authorize(self, **changes: str | None) -> httpx.Response:
        return await self.authorize_at("/auth", **changes)

    async def authorize_at(self, path: str, /, **changes: str | None) -> httpx.Response:
        return await self.http.get(
            f"{self.prefix}{path}?{urlencode(self.request(**changes))}", follow_redirects=False
        )

    async def code(self, **changes: str | None) -> str:
        return callback_of(await self.authorize(**changes))["code"]

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.http.post(self.prefix + CONNECT + path, data=form, auth=self.credentials)

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
            **changes,
        }
        return await self.post("/token", **form)

    async def tokens(self, **changes: str | None) -> dict[str, Any]:
        answer = await self.exchange(await self.code(**changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.post("/token", grant_type="refresh_token", refresh_token=refresh_token)

    async def userinfo(self, access_token: str) -> httpx.Response:
        return await self.http.get(
            f"{self.prefix}{CONNECT}/userinfo", headers={"Authorization": f"Bearer {access_token}"}
        )


def callback_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code in (302, 303), answer.text
    address = urlsplit(answer.headers["location"])
    assert address._replace(query="").geturl() == CALLBACK
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def events_of(party: RelyingParty, type_: str) -> list[dict[str, Any]]:
    async with party.database.read() as session:
        rows = await session.execute(text("SELECT value FROM psc.outbox ORDER BY id"))
        events = [orjson.loads(bytes(value)) for value in rows.scalars()]
    return [e for e in events if e["space"] == party.space and e["type"] == type_]


@pytest.fixture
def psc_settings(settings_values: dict[str, Any]) -> PscSettings:
    return PscSettings(**settings_values)


@pytest.fixture
async def http(psc_settings: PscSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build(psc_settings)) as client:
        yield client


@pytest.fixture
def party(http: httpx.AsyncClient, space: str, database: Database) -> RelyingParty:
    return RelyingParty(http, space, database)
