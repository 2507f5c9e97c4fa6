"""`socle ins …` against an INSi that really listens, and INSi's answers about whom it made."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.ins.app import build
from services.ins.domain.population import population
from services.ins.settings import InsSettings
from socle.db.database import Database
from socle.testing.serving import serving
from tests.patience import PATIENCE_SECONDS

from .conftest import NS, InsiClient
from .records import outbox


@pytest.fixture
async def url(settings_values: dict[str, Any]) -> AsyncIterator[str]:
    def made(url: str) -> Any:
        return build(InsSettings(**settings_values, public_url=url, ins_authentication="off"))

    async with serving(made) as url:
        yield url


async def socle(url: str, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "socle.cli", "ins", *words,
        env={**os.environ, "SOCLE_PUBLIC_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_synthetic_people_are_made_listed_and_found(url: str, space: str) -> None:
    count = "400"
    for _ in range(2):  # the same command again changes nothing
        told = await socle(url, "people", "synthetic", count, "--seed", "3", "--space", space)
        assert told == f"{count} people\n"
    listed = await socle(url, "people", "list", "--limit", "1000", "--json", "--space", space)
    assert len(json.loads(listed)) == 400 + 16
    async with httpx.AsyncClient(base_url=f"{url}/s/{space}", timeout=PATIENCE_SECONDS) as http:
        insi = InsiClient(http, {})
        for person in list(population(3, 0, 400))[:100]:
            traits = person.traits
            answer = await insi.search(
                traits.family_name, traits.given_names, traits.sex, traits.birth_date,
                traits.birth_place,
            )  # fmt: skip
            assert answer.findtext(".//r:CodeCR", None, NS) == "00"
            number = answer.findtext(".//r:INSACTIF//r:NumIdentifiant", None, NS)
            assert number == person.active.matricule
            former = [
                found.text for found in answer.iterfind(".//r:INSHISTO//r:NumIdentifiant", NS)
            ]
            assert former == [ins.matricule for ins in person.history]


async def test_synthetic_people_are_qualified_once_when_asked(
    url: str, space: str, database: Database
) -> None:
    words = ("people", "synthetic", "300", "--qualified", "--space", space)
    for _ in range(2):
        assert await socle(url, *words) == "300 people\n"
    events = await outbox(database, space)
    assert [event["type"] for event in events] == ["ins.identity.qualified.v1"] * 300
    assert len({event["subject"] for event in events}) == 300
    async with httpx.AsyncClient(base_url=f"{url}/s/{space}", timeout=PATIENCE_SECONDS) as http:
        made = await http.post(
            "/_sandbox/ins/people/synthetic", json={"count": 10, "start": 295, "qualified": True}
        )
    assert made.json() == {"stored": 10, "qualified": 5}
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT array_agg(s.step ORDER BY s.position) AS steps"
                " FROM ins.identity i JOIN ins.identity_step s"
                " ON (s.space, s.identity_id) = (i.space, i.id)"
                " WHERE i.space = :space GROUP BY i.space, i.id"
            ),
            {"space": space},
        )
        histories = {tuple(row.steps) for row in rows}
    assert histories == {("created", "retrieved", "evidence_accepted")}


async def test_people_are_listed_by_the_beginning_of_their_name(url: str, space: str) -> None:
    listed = json.loads(
        await socle(url, "people", "list", "--family", "ness", "--json", "--space", space)
    )
    assert {one["family_name"] for one in listed} == {"NESSI"}
    nobody = await socle(url, "people", "list", "--family", "%", "--space", space)
    assert nobody == "Nobody.\n"


async def test_scenarios_are_shown_as_a_table(url: str) -> None:
    shown = await socle(url, "scenarios")
    assert "2.07-1" in shown
    assert "TCHITCHI CATARINA F 1936-06-21 63220" in shown
    assert "00 2360663220836" in shown
