"""The DMP in the test's process on a real PostgreSQL, and what a test asks of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from services.dmp.app import build
from services.dmp.settings import DmpSettings
from services.dmp.workers import apply_events
from services.ins.app import build as build_ins
from services.ins.settings import InsSettings
from socle.clock import wall
from socle.db.database import Database
from socle.events.envelope import Event
from socle.ids.ins import Ins
from socle.ids.traits import trait_fingerprints
from socle.pseudonyms import pseudonym
from socle.testing.apps import client_of
from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint

from .samples import ANNE, Document, resource

FHIR = "/dmp/fhir"
FHIR_JSON = {"Content-Type": "application/fhir+json"}


@dataclass
class Dmp:
    """A vendor's view of the FHIR door, and the tester's view of the tables behind it."""

    http: httpx.AsyncClient
    database: Database
    space: str
    headers: dict[str, str]
    key: bytes

    async def post(self, body: bytes, **headers: str) -> httpx.Response:
        return await self.http.post(
            FHIR, content=body, headers={**FHIR_JSON, **self.headers, **headers}
        )

    async def provide(self, bundle: Any) -> httpx.Response:
        return await self.http.post(FHIR, json=bundle, headers={**self.headers, **FHIR_JSON})

    async def deposit(self, document: Document) -> str:
        """The id under which the registry took it."""
        response = await self.provide(document.bundle)
        assert response.status_code == 200, response.text
        location: str = response.json()["entry"][1]["response"]["location"]
        return location.split("/")[1]

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(f"{FHIR}{path}", headers={**self.headers, **headers})

    async def find(self, *parameters: tuple[str, str], ins: Ins = ANNE) -> httpx.Response:
        whose = ("patient.identifier", f"urn:oid:{ins.oid}|{ins.with_key}")
        query = httpx.QueryParams([whose, *parameters])
        return await self.http.get(f"{FHIR}/DocumentReference", params=query, headers=self.headers)

    async def say(
        self, ins: Ins = ANNE, *, qualified: bool = True, traits: dict[str, str] | None = None
    ) -> None:
        """INS says so, and the DMP's consumer hears it; without `traits` it says nothing of them."""
        patient = pseudonym(self.key, self.space, ins.oid, ins.matricule)
        event = Event.new(
            f"ins.identity.{'qualified' if qualified else 'disqualified'}.v1",
            source="/ins",
            subject=patient,
            space=self.space,
            time=wall(),
            data={
                "patient": patient,
                "oid": ins.oid,
                "status": "QUAL" if qualified else "PROV",
                "qualified": qualified,
                "fingerprints": trait_fingerprints(self.key, **traits) if traits else {},
            },
        )
        async with self.database.write() as session:
            await apply_events(session, [event])

    async def stored(self) -> dict[str, int]:
        """How many rows of this space each table holds, events included; that something was refused
        or read is an event as well, and nothing of the registry."""
        counts = {
            table: f"SELECT count(*) FROM dmp.{table} WHERE space = :space"
            for table in ("document", "body", "submission_set")
        }
        counts["outbox"] = (
            "SELECT count(*) FROM dmp.outbox"
            " WHERE convert_from(value, 'UTF8')::jsonb ->> 'space' = :space"
            " AND convert_from(value, 'UTF8')::jsonb ->> 'type'"
            " NOT IN ('dmp.document.refused.v1', 'dmp.document.consulted.v1')"
        )
        async with self.database.read() as session:
            return {
                name: (await session.execute(text(sql), {"space": self.space})).scalar_one()
                for name, sql in counts.items()
            }

    async def told(self) -> list[dict[str, Any]]:
        """The events of this space in the order in which they were written."""
        sql = (
            "SELECT convert_from(value, 'UTF8')::jsonb FROM dmp.outbox"
            " WHERE convert_from(value, 'UTF8')::jsonb ->> 'space' = :space ORDER BY id"
        )
        async with self.database.read() as session:
            return list((await session.execute(text(sql), {"space": self.space})).scalars())


NOTHING = {"document": 0, "body": 0, "submission_set": 0, "outbox": 0}
ONE = {"document": 1, "body": 1, "submission_set": 1, "outbox": 1}


def rules(response: httpx.Response) -> dict[str, str]:
    """Rule and path of each issue of the OperationOutcome that a refusal must be."""
    assert response.headers["content-type"].startswith("application/fhir+json"), response.text
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["details"]["text"] for issue in outcome["issue"])
    return {
        issue["details"]["coding"][-1]["code"]: issue.get("expression", [""])[0]
        for issue in outcome["issue"]
        if issue["severity"] == "error"
    }


def ids_of(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def reference_path(bundle: dict[str, Any], kind: str = "DocumentReference") -> str:
    position = [entry["resource"] for entry in bundle["entry"]].index(resource(bundle, kind))
    return f"Bundle.entry[{position}].resource"


Start = Callable[..., Awaitable[Dmp]]


@pytest.fixture
async def start(
    settings_values: dict[str, Any], mint: TokenMint, space: str, database: Database
) -> AsyncIterator[Start]:
    """Starts a DMP with settings of the test's own; several may run side by side."""
    clients = []

    async def started(**values: Any) -> Dmp:
        # Nobody listens there, unless the test starts an INS: a forgotten question shows as a 503.
        settings = DmpSettings(**{"ins_url": "http://127.0.0.1:9", **settings_values, **values})
        client = client_of(build(settings), mint)
        clients.append(client)
        http = await client.__aenter__()
        return Dmp(http, database, space, mint.headers(space), settings.require_pseudonym_key())

    yield started
    for client in clients:
        await client.__aexit__(None, None, None)


@pytest.fixture
async def dmp(start: Start) -> Dmp:
    """The DMP of a space that knows one qualified patient."""
    dmp = await start()
    await dmp.say(ANNE)
    return dmp


@pytest.fixture
async def neighbour(dmp: Dmp, mint: TokenMint) -> Dmp:
    """Another vendor's space behind the same door, with the same patient."""
    space = f"{dmp.space}-n"
    other = replace(dmp, space=space, headers=mint.headers(space))
    await other.say(ANNE)
    return other


@pytest.fixture
def colleague(dmp: Dmp, mint: TokenMint) -> Dmp:
    """Another professional in the same space, who has written none of its documents."""
    return replace(dmp, headers=mint.headers(dmp.space, "899700000017"))


@pytest.fixture
async def ins_url(settings_values: dict[str, Any], mint: TokenMint) -> AsyncIterator[str]:
    """The real INS service behind a real socket, on the same database."""
    app = build_ins(InsSettings(**settings_values))
    port = free_ports(1)[0]
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, ws="none")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn offers no event to wait for)
        await asyncio.sleep(0.01)
    app.state.kernel.verifier.keys = mint
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving
