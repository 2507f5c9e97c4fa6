"""The usage service in the test's process on a real PostgreSQL, fed as its consumer is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.usage.app import build
from services.usage.service import apply_events
from services.usage.settings import UsageSettings
from socle.clock import wall
from socle.db.database import Database
from socle.events.envelope import Event
from socle.idgen import random_uuid, uuid7
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

FINESS = "1B0064166"  # seeded in every space
MARCH = datetime(2022, 3, 15, 8, tzinfo=UTC)


@dataclass
class Usage:
    http: httpx.AsyncClient
    database: Database
    space: str
    headers: dict[str, str]

    def registered(self, **changes: Any) -> Event:
        """A report that counts for SU4 in F1, but for what the test changes of it."""
        structure = changes.pop("structure", FINESS)
        kind = changes.pop("structure_kind", "finess")
        qualified = changes.pop("qualified", True)
        at = changes.pop("created_at", MARCH)
        logical_id = str(uuid7())
        data = {
            "logical_id": logical_id,
            "entry_id": logical_id,
            "unique_id": f"2.25.{uuid7().int}",
            "type_code": "11502-2",
            "level": "N3",
            "ins": {"oid": "1.2.250.1.213.1.4.10", "qualified": qualified, "status": "QUAL"},
            "author": {
                "structure": structure and {"kind": kind, "number": structure},
                "professional": changes.pop("professional", None),
            },
            "patient": "6f1c0f2f4d9b4c6e8a7d5b3c1e0f9a8b",
            "created_at": at.isoformat(),
            "registered_at": at.isoformat(),
            "size": 12_000,
            **changes,
        }
        return Event.new(
            "dmp.document.registered.v1",
            source="/dmp",
            subject="6f1c0f2f4d9b4c6e8a7d5b3c1e0f9a8b",
            space=self.space,
            time=wall(),
            data=data,
        )

    def deleted(self, registered: Event, at: datetime = MARCH) -> Event:
        """As the DMP tells that this document, with its chain, is deleted."""
        data = registered.data
        return Event.new(
            "dmp.document.deleted.v1",
            source="/dmp",
            subject=registered.subject,
            space=self.space,
            time=wall(),
            data={
                "entry_id": data["entry_id"],
                "logical_id": data["logical_id"],
                "chain_id": data.get("chain_id", data["logical_id"]),
                "changed_at": at.isoformat(),
            },
        )

    async def consume(self, *events: Event) -> None:
        async with self.database.write() as session:
            await apply_events(session, events)

    async def declare(self, *acts: dict[str, Any]) -> httpx.Response:
        return await self.http.post(
            "/usage/activity", json={"acts": list(acts)}, headers=self.headers
        )

    async def su4(self, structure: str = FINESS, **query: str) -> dict[str, Any]:
        params = {"structure": structure, "window": "F1", **query}
        response = await self.http.get("/usage/indicators/SU4", params=params, headers=self.headers)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def counted(self, structure: str = FINESS, **query: str) -> tuple[int, int]:
        measure = await self.su4(structure, **query)
        return measure["numerator"]["value"], measure["denominator"]["value"]

    async def events_told(self) -> int:
        async with self.database.read() as session:
            result = await session.execute(
                text(
                    # Tests of dead letters leave records there that are no JSON.
                    "SELECT count(*) FROM usage.outbox WHERE CASE WHEN get_byte(value, 0) = 123"
                    " THEN convert_from(value, 'UTF8')::jsonb ->> 'space' = :space ELSE false END"
                ),
                {"space": self.space},
            )
            count: int = result.scalar_one()
            return count


def act(structure: str = FINESS, at: datetime = MARCH, act_id: str | None = None) -> dict[str, Any]:
    return {
        "kind": "report.validated",
        "domain": "biology",
        "structure": structure,
        "act_id": act_id or str(random_uuid()),
        "act_at": at.isoformat(),
    }


@pytest.fixture
async def usage(
    settings_values: dict[str, Any], mint: TokenMint, space: str, database: Database
) -> AsyncIterator[Usage]:
    async with client_of(build(UsageSettings(**settings_values)), mint) as http:
        yield Usage(http, database, space, mint.headers(space))
    # Thousands of acts of a file would go before what other tests have to tell.
    async with database.write() as session:
        await session.execute(text("DELETE FROM usage.outbox"))


@pytest.fixture
def neighbour(usage: Usage, mint: TokenMint) -> Usage:
    space = f"{usage.space}-n"
    return Usage(usage.http, usage.database, space, mint.headers(space))
