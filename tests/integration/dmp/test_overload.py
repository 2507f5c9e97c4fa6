"""Too much, too large, or no database: refused at once, with what the client should do."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from sqlalchemy import text

from socle.spaces import LEASE_SECONDS
from tests.patience import PATIENCE_SECONDS

from .conftest import FHIR, FHIR_JSON, NOTHING, Dmp, Start, rules
from .samples import document
from .severed import Line


class TestSize:
    async def test_refuses_with_413_when_the_announced_length_is_over_the_limit(
        self, start: Start
    ) -> None:
        dmp = await start(max_body_bytes=10_000)
        response = await dmp.post(orjson.dumps(document().bundle))

        assert response.status_code == 413
        assert rules(response) == {"HTTP-SIZE": "/"}
        assert await dmp.stored() == NOTHING

    async def test_refuses_while_it_streams_when_no_length_is_announced(self, start: Start) -> None:
        dmp = await start(max_body_bytes=10_000)
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 4_000
                yield b" " * 4_000

        response = await dmp.http.post(
            FHIR, content=endless(), headers={**dmp.headers, **FHIR_JSON}
        )

        assert response.status_code == 413
        assert rules(response) == {"HTTP-SIZE": "/"}
        assert sent <= 16_000

    async def test_accepts_when_the_body_is_just_within_the_limit(self, start: Start) -> None:
        body = orjson.dumps(document().bundle)
        dmp = await start(max_body_bytes=len(body))
        await dmp.say()

        assert (await dmp.post(body)).status_code == 200


class TestQueue:
    async def test_refuses_with_503_when_the_budget_is_held_by_others(self, start: Start) -> None:
        documents = [document() for _ in range(6)]
        budget = 2 * len(documents[0].content) + 1_000
        dmp = await start(dmp_queue_bytes=budget)
        await dmp.say()
        async with dmp.database.engine.connect() as holder:
            # The commits wait for this lock, and what they hold stays held.
            await holder.execute(text("LOCK TABLE dmp.document IN ACCESS EXCLUSIVE MODE"))
            sending = [asyncio.create_task(dmp.provide(given.bundle)) for given in documents]
            refused: list[asyncio.Task[httpx.Response]] = []
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(refused) < 4:
                    await asyncio.wait({*sending} - {*refused}, return_when=asyncio.FIRST_COMPLETED)
                    refused = [task for task in sending if task.done()]
            await holder.rollback()
        answers = await asyncio.gather(*sending)

        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [503] * 4
        assert len(refused) == 4
        for task in refused:
            assert task.result().headers["retry-after"] == "1"
            assert rules(task.result()).keys() == {"busy"}
        assert (await dmp.stored())["document"] == 2

    async def test_accepts_a_document_larger_than_the_budget_when_nobody_waits(
        self, start: Start
    ) -> None:
        dmp = await start(dmp_queue_bytes=1)
        await dmp.say()

        assert (await dmp.provide(document().bundle)).status_code == 200


class TestDatabase:
    @pytest.fixture
    def line(self, database_url: str) -> Line:
        return Line(database_url)

    @pytest.fixture
    async def dmp(self, start: Start, line: Line) -> AsyncIterator[Dmp]:
        await line.mend()
        dmp = await start(database_url=line.url)
        await dmp.say()
        assert (await dmp.provide(document().bundle)).status_code == 200
        yield dmp
        await line.cut()

    async def test_answers_503_and_recovers_when_it_is_gone_for_a_while(
        self, dmp: Dmp, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bundle = document().bundle
        # The space stays remembered: what is asked here is what the registry says.
        monkeypatch.setattr("socle.spaces.LEASE_SECONDS", 600)
        await line.cut()
        refused = await dmp.provide(bundle)
        await line.mend()
        accepted = await dmp.provide(bundle)

        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "2"
        assert rules(refused).keys() == {"registry_unavailable"}
        assert accepted.status_code == 200

    async def test_answers_503_when_it_is_gone_longer_than_a_space_is_remembered(
        self, dmp: Dmp, line: Line
    ) -> None:
        await line.cut()
        await asyncio.sleep(LEASE_SECONDS * 1.2)
        refused = await dmp.provide(document().bundle)

        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        rules(refused)

    async def test_answers_503_on_reading_when_it_is_gone(self, dmp: Dmp, line: Line) -> None:
        await line.cut()
        refused = await dmp.find()

        assert refused.status_code == 503
        assert "retry-after" in refused.headers

    async def test_loses_nothing_when_its_connections_are_terminated(self, dmp: Dmp) -> None:
        bundles = [document().bundle for _ in range(12)]

        async def terminate() -> None:
            async with dmp.database.engine.connect() as admin:
                await admin.execute(
                    text(
                        # Until they have ended: what is sent again meets none that is about to.
                        f"SELECT pg_terminate_backend(pid, {PATIENCE_SECONDS * 1000})"
                        " FROM pg_stat_activity"
                        " WHERE datname = current_database() AND application_name = 'socle-dmp-hot'"
                    )
                )

        answers, _ = await asyncio.gather(
            asyncio.gather(*(dmp.provide(bundle) for bundle in bundles)), terminate()
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        again = [await dmp.provide(bundle) for bundle in bundles]

        assert {answer.status_code for answer in again} == {200}
        assert (await dmp.stored())["document"] == 13
        assert (await dmp.stored())["outbox"] == 13
