"""`socle psc …`, as a vendor's CI calls it, against a provider that really listens."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.people.population import population
from socle.testing.serving import serving
from tests.patience import PATIENCE_SECONDS

from .conftest import GENERALIST


@dataclass
class Shell:
    url: str
    space: str

    async def run(self, *words: str, fails: bool = False) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "socle.cli", "psc", *words, "--space", self.space,
            env={**os.environ, "SOCLE_PUBLIC_URL": self.url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert (process.returncode != 0) == fails, output.decode()
        return output.decode()


@pytest.fixture
async def shell(settings_values: dict[str, Any], space: str) -> AsyncIterator[Shell]:
    values = {**settings_values, "psc_ciba_interval_seconds": 0}
    async with serving(lambda url: build(PscSettings(**values, public_url=url))) as url:
        yield Shell(url, space)


class TestPeople:
    async def test_are_found_exported_and_imported_again(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        listed = await shell.run("people", "list", "--q", "doc0042788")
        assert GENERALIST in listed
        shown = json.loads(await shell.run("people", "show", GENERALIST))
        assert shown["exercices"][0]["codeSavoirFaire"] == "SM26"
        file = tmp_path / "extraction.txt"
        await shell.run("people", "export", str(file))
        assert file.read_text("utf-8").startswith("Type d'identifiant PP|")
        other = Shell(shell.url, f"{shell.space}-b")
        said = await other.run("people", "import", str(file))
        assert "people imported, 0 problems" in said

    async def test_come_in_any_number(self, shell: Shell, tmp_path: Path) -> None:
        said = await shell.run("people", "synthetic", "12000", "--seed", "3")
        assert "12000 people" in said
        last = next(population(3, 11_999, 1))
        assert last.SubjectNameID in await shell.run("people", "list", "--q", last.SubjectNameID)
        file = tmp_path / "many.txt"
        await shell.run("people", "export", str(file))
        other = Shell(shell.url, f"{shell.space}-b")
        assert "0 problems" in await other.run("people", "import", str(file))
        assert last.SubjectNameID in await other.run("people", "show", last.SubjectNameID)

    async def test_line_that_is_wrong_is_told(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "wrong.txt"
        file.write_text("Type d'identifiant PP|Identification nationale PP\n8|1\n")
        said = await shell.run("people", "import", str(file), fails=True)
        assert "Nom de famille" in said
        assert "Traceback" not in said


class TestLogin:
    async def test_ciba_request_is_answered_from_the_shell(self, shell: Shell) -> None:
        made = json.loads(await shell.run("clients", "add", "ci", "--loopback"))
        assert "ci" in await shell.run("clients", "list")
        connect = f"{shell.url}/s/{shell.space}/auth/realms/esante-wallet/protocol/openid-connect"
        async with httpx.AsyncClient(
            auth=("ci", made["secret"]), timeout=PATIENCE_SECONDS
        ) as client:
            started = await client.post(
                f"{connect}/ext/ciba/auth",
                data={
                    "scope": "openid scope_all", "acr_values": "eidas1",
                    "login_hint": GENERALIST, "binding_message": "42",
                },
            )  # fmt: skip
            [waiting] = json.loads(await shell.run("requests", "list", "--json"))
            wrong = await shell.run("requests", "approve", waiting["id"], "--number", "43")
            assert wrong.startswith("wrong_number, 2 tries left")
            right = await shell.run(
                "requests", "approve", waiting["id"], "--number", "42", "--pin", "1234"
            )
            assert right.strip() == "approved"
            grant = {
                "grant_type": "urn:openid:params:grant-type:ciba",
                "auth_req_id": started.json()["auth_req_id"],
            }
            tokens = (await client.post(f"{connect}/token", data=grant)).json()
            assert GENERALIST in await shell.run("sessions", "list")
            assert "1 closed" in await shell.run("sessions", "close", "--person", GENERALIST)
            refresh = {
                "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
            }  # fmt: skip
            assert (await client.post(f"{connect}/token", data=refresh)).status_code == 400
        assert "Nobody is logged in" in await shell.run("sessions", "list")
        late = await shell.run("requests", "refuse", waiting["id"], fails=True)
        assert "was answered" in late

    async def test_faults_are_armed_from_a_file(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "faults.json"
        file.write_text(json.dumps([{"id": "down", "path": "/auth", "status": 503}]))
        assert "1 armed" in await shell.run("faults", "arm", str(file))
        assert "down" in await shell.run("faults", "list")
        await shell.run("faults", "disarm")
        assert "No fault" in await shell.run("faults", "list")
        file.write_text(json.dumps({"id": "x", "effect": "nonsense"}))
        assert "effect" in await shell.run("faults", "arm", str(file), fails=True)


async def test_socle_that_is_not_there_is_told(space: str) -> None:
    said = await Shell("http://127.0.0.1:9", space).run("people", "list", fails=True)
    assert "socle up" in said
    assert "Traceback" not in said
