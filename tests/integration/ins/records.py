"""Identity records as a client makes them, and what they leave in the outbox."""

import importlib.resources
from typing import Any

import httpx
import jsonschema
import orjson
from sqlalchemy import text

from socle.db.database import Database

ZOE = {
    "family_name": "ADRUN",
    "given_names": "ZOE",
    "sex": "F",
    "birth_date": "1975-12-31",
}
ZOE_INS = {"oid": "1.2.250.1.213.1.4.8", "matricule": "275126322074974"}


async def create(api: httpx.AsyncClient, **changes: Any) -> str:
    response = await api.post("/ins/identities", json={**ZOE, **changes})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def qualify(api: httpx.AsyncClient) -> str:
    identity = await create(api)
    found = await api.post(f"/ins/identities/{identity}/search")
    assert found.json()["result"] == {"code": "00", "label": "OK"}
    checked = await api.post(f"/ins/identities/{identity}/evidence", json={"code": "CN"})
    assert checked.json()["status"] == "qualifiee"
    return identity


async def outbox(database: Database, space: str) -> list[dict[str, Any]]:
    async with database.read() as session:
        result = await session.execute(text("SELECT topic, value FROM ins.outbox ORDER BY id"))
        events = [(row.topic, orjson.loads(row.value)) for row in result]
    mine = [event for topic, event in events if event["space"] == space]
    assert all(topic == "socle.ins.identities" for topic, event in events if event in mine)
    for event in mine:
        schemas = importlib.resources.files("socle.events") / "schemas"
        schema = orjson.loads((schemas / f"{event['type']}.json").read_bytes())
        jsonschema.validate(event["data"], schema)
    return mine
