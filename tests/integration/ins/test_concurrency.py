"""Several requests at once must not make two records of one patient, nor two events."""

import asyncio

import httpx
from sqlalchemy import text

from socle.db.database import Database
from socle.testing.tokens import TokenMint

from .test_sandbox_people import PERSON


class TestTogether:
    async def test_one_record_and_one_event_when_a_person_is_qualified_many_times(
        self, http: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        path = f"/s/{space}/_sandbox/ins/people"
        answers = await asyncio.gather(
            *(http.post(path, json={**PERSON, "qualified": True}) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["identity"]["id"] for answer in answers}) == 1
        async with database.read() as session:
            events = await session.execute(
                text("SELECT count(*) FROM ins.outbox WHERE convert_from(value, 'UTF8') LIKE :s"),
                {"s": f'%"space":"{space}"%'},
            )
            assert events.scalar_one() == 1

    async def test_one_record_holds_the_ins_when_two_ask_together(
        self, http: httpx.AsyncClient, mint: TokenMint, space: str
    ) -> None:
        http.headers.update(mint.headers(space))
        zoe = {"family_name": "ADRUN", "given_names": "ZOE", "sex": "F", "birth_date": "1975-12-31"}
        made = [await http.post("/ins/identities", json=zoe) for _ in range(4)]
        answers = await asyncio.gather(
            *(http.post(f"/ins/identities/{one.json()['id']}/search") for one in made)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
