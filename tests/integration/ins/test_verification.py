"""Verification over HTTP: one by one, and in batches that a worker goes through."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.ins.app import build
from services.ins.settings import InsSettings
from services.ins.workers import verify_open_batches
from socle.db.database import Database
from socle.kernel import Kernel
from socle.testing.apps import client_of
from socle.testing.tokens import TokenMint

from .records import ZOE, ZOE_INS, outbox

BATCHES = "/ins/verifications/batches"
CSV = {"Content-Type": "text/csv"}
HEADER = "reference;oid;matricule;family_name;given_names;sex;birth_date;birth_place"
GOOD = "1.2.250.1.213.1.4.8;275126322074974;ADRUN;ZOE;F;1975-12-31;63220"
WRONG = GOOD.replace("1975-12-31", "1975-12-30")


@pytest.fixture
async def kernel(settings_values: dict[str, Any]) -> AsyncIterator[Kernel]:
    kernel = Kernel.build("ins", InsSettings(**settings_values))
    yield kernel
    await kernel.close()


def file(*lines: str) -> str:
    return "\n".join([HEADER, *(f"R{number};{line}" for number, line in enumerate(lines))])


async def submit(api: httpx.AsyncClient, content: str, **headers: str) -> dict[str, Any]:
    answer = await api.post(BATCHES, content=content, headers={**CSV, **headers})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def progress(api: httpx.AsyncClient, batch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"{BATCHES}/{batch['id']}")).json()
    return found


async def results(api: httpx.AsyncClient, batch: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: Any = 0
    while after is not None:
        query = {"after": after, "limit": 2}
        page = (await api.get(f"{BATCHES}/{batch['id']}/results", params=query)).json()
        found += page["results"]
        after = page["next"]
    return found


async def work_off(kernel: Kernel) -> None:
    while await verify_open_batches(kernel):
        pass


class TestOne:
    async def test_is_ok_or_ko_and_gives_no_trait_back(self, api: httpx.AsyncClient) -> None:
        good = await api.post("/ins/verifications", json={**ZOE, **ZOE_INS})
        bad = await api.post("/ins/verifications", json={**ZOE, **ZOE_INS, "sex": "M"})
        assert good.json() == {"result": "OK", "differs": []}
        assert bad.json() == {"result": "KO", "differs": ["sex"]}
        assert "sandbox only" in good.headers["Socle-Contract"]

    async def test_names_what_is_wrong_with_the_request(self, api: httpx.AsyncClient) -> None:
        claim = {**ZOE, "oid": "1.2", "matricule": "1", "family_name": "Zoé"}
        answer = await api.post("/ins/verifications", json=claim)
        assert answer.status_code == 422
        assert {one["path"] for one in answer.json()["problems"]} == {"/matricule", "/family_name"}

    async def test_is_told_without_a_trait(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        await api.post("/ins/verifications", json={**ZOE, **ZOE_INS, "sex": "M"})
        [event] = await outbox(database, space)
        assert event["type"] == "ins.identity.verified.v1"
        assert event["subject"] == event["data"]["patient"]
        assert (event["data"]["differs"], event["data"]["mode"]) == (["sex"], "single")
        assert not any(trait in str(event) for trait in ("ADRUN", "2751263", "1975-12"))

    async def test_that_is_refused_tells_nothing(
        self, api: httpx.AsyncClient, database: Database, space: str
    ) -> None:
        await api.post("/ins/verifications", json={**ZOE, "oid": "1.2", "matricule": "1"})
        assert await outbox(database, space) == []


class TestBatch:
    async def test_tells_each_line_that_could_be_verified_once(
        self, api: httpx.AsyncClient, kernel: Kernel, database: Database, space: str
    ) -> None:
        await submit(api, file(GOOD, "court", WRONG))
        await work_off(kernel)
        await work_off(kernel)
        told = [event["data"] for event in await outbox(database, space)]
        assert [(it["result"], it["mode"], it["professional"]) for it in told] == [
            ("OK", "batch", None), ("KO", "batch", None),
        ]  # fmt: skip

    async def test_is_verified_line_by_line_and_names_the_bad_ones(
        self, api: httpx.AsyncClient, kernel: Kernel
    ) -> None:
        batch = await submit(api, file(GOOD, "court", WRONG, GOOD.replace("ADRUN", "Zoé")))
        assert (batch["lines"], batch["bad"], batch["status"]) == (4, 2, "waiting")
        await work_off(kernel)
        done = await progress(api, batch)
        assert (done["status"], done["done"], done["ok"], done["ko"]) == ("done", 4, 1, 1)
        found = await results(api, batch)
        assert [(one["line"], one["reference"], one["result"]) for one in found] == [
            (2, "R0", "OK"), (3, "", "BAD"), (4, "R2", "KO"), (5, "R3", "BAD"),
        ]  # fmt: skip
        assert found[2]["differs"] == ["birth_date"]
        assert found[3]["problems"][0]["path"] == "/family_name"
        assert not any(trait in str(found) for trait in ("ADRUN", "1975", "2751263"))

    async def test_says_when_to_ask_again_until_it_is_done(
        self, api: httpx.AsyncClient, kernel: Kernel
    ) -> None:
        answer = await api.post(BATCHES, content=file(GOOD), headers=CSV)
        assert answer.headers["Retry-After"] == "1"
        location = answer.headers["Location"]
        assert "Retry-After" in (await api.get(location)).headers
        await work_off(kernel)
        assert "Retry-After" not in (await api.get(location)).headers

    async def test_is_done_at_once_when_no_line_can_be_read(self, api: httpx.AsyncClient) -> None:
        batch = await submit(api, file("x", "y"))
        assert (batch["status"], batch["done"]) == ("done", 2)

    async def test_is_one_when_the_reference_comes_again_also_together(
        self, api: httpx.AsyncClient
    ) -> None:
        key = {"Idempotency-Key": "lot-1"}
        made = await asyncio.gather(*(submit(api, file(GOOD), **key) for _ in range(4)))
        assert len({batch["id"] for batch in made}) == 1
        other = await api.post(BATCHES, content=file(WRONG), headers={**CSV, **key})
        assert (other.status_code, other.json()["error"]) == (409, "reference_taken")

    async def test_can_be_taken_as_a_file_that_no_spreadsheet_runs(
        self, api: httpx.AsyncClient, kernel: Kernel
    ) -> None:
        content = "\n".join([HEADER, f"=1+1;{GOOD}", f"B;{WRONG}"])
        batch = await submit(api, content)
        await work_off(kernel)
        answer = await api.get(f"{BATCHES}/{batch['id']}/results.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.splitlines() == [
            "line;reference;result;differs;problems",
            "2;'=1+1;OK;;",
            "3;B;KO;birth_date;",
        ]

    async def test_is_gone_with_its_results_when_it_is_removed(
        self, api: httpx.AsyncClient, kernel: Kernel
    ) -> None:
        batch = await submit(api, file(GOOD))
        path = f"{BATCHES}/{batch['id']}"
        assert (await api.delete(path)).status_code == 204
        await work_off(kernel)
        answers = [await api.get(path), await api.get(f"{path}/results"), await api.delete(path)]
        assert {answer.status_code for answer in answers} == {404}

    async def test_is_another_space_s_secret(self, api: httpx.AsyncClient, mint: TokenMint) -> None:
        batch = await submit(api, file(GOOD))
        stranger = mint.headers("un-autre-espace")
        answer = await api.get(f"{BATCHES}/{batch['id']}", headers=stranger)
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("content", "media_type", "status", "error"),
        [
            ("a;b\n1;2", "text/csv", 422, "batch_unreadable"),
            ("{}", "application/json", 415, "media_type"),
            (file(GOOD, GOOD, GOOD, GOOD), "text/csv", 422, "batch_unreadable"),
            ("x" * 5000, "text/csv", 413, "body_too_large"),
        ],
    )
    async def test_is_refused_whole_when_it_is_no_batch(
        self,
        settings_values: dict[str, Any],
        mint: TokenMint,
        space: str,
        content: str,
        media_type: str,
        status: int,
        error: str,
    ) -> None:
        narrow = InsSettings(**settings_values, ins_max_batch_lines=3, ins_max_batch_bytes=4000)
        async with client_of(build(narrow), mint) as http:
            headers = {**mint.headers(space), "Content-Type": media_type}
            answer = await http.post(BATCHES, content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error)


class TestWorkers:
    async def test_share_the_batches_and_count_each_line_once(
        self, api: httpx.AsyncClient, kernel: Kernel
    ) -> None:
        batches = [await submit(api, file(*[GOOD, WRONG] * 700)) for _ in range(3)]
        await asyncio.gather(*(work_off(kernel) for _ in range(4)))
        await work_off(kernel)
        for batch in batches:
            done = await progress(api, batch)
            assert (done["status"], done["ok"], done["ko"]) == ("done", 700, 700)

    async def test_go_on_where_a_killed_one_was(
        self, api: httpx.AsyncClient, kernel: Kernel, database_url: str
    ) -> None:
        await work_off(kernel)  # what other tests left waiting would be taken first
        batch = await submit(api, file(*[GOOD, WRONG] * 700))
        environment = {
            **os.environ,
            "SOCLE_DATABASE_URL": database_url,
            "SOCLE_PSEUDONYM_KEY": "test-pseudonym-key",
            "SOCLE_WORKER_PORT": "0",
            "SOCLE_FAILPOINTS": "verification.judged=2",
        }
        worker = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "socle.cli", "ins", "verify"],
            env=environment,
            capture_output=True,
            timeout=60,
        )
        assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()
        half = await progress(api, batch)
        assert (half["status"], half["done"]) == ("running", 500)
        await work_off(kernel)
        done = await progress(api, batch)
        assert (done["status"], done["ok"], done["ko"]) == ("done", 700, 700)
