"""Schemathesis (PyPI) sends what it makes up from the OpenAPI document: nothing answers 5xx."""

import asyncio
import sys
from typing import Any

import pytest

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.testing.serving import serving

pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("auth", ["socle-demo:socle-demo-secret", None], ids=["client", "nobody"])
async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, auth: str | None
) -> None:
    """In a space of its own. Faults are left out: they make 5xx on purpose."""

    def provider(url: str) -> Any:
        return build(PscSettings(**settings_values, public_url=url, default_space=space))

    async with serving(provider) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run",
            f"{url}/_sandbox/psc/openapi.json",
            "--checks", "not_a_server_error",
            "--phases", "examples,coverage,fuzzing",
            "--exclude-path", "/_sandbox/faults",
            "--exclude-path", "/_sandbox/psc/keys/rotate",  # a new RSA key each time
            "--max-examples", "15",
            "--seed", "20261127",
            "--workers", "2",
            "--suppress-health-check", "all",
            "--warnings", "off",
            "--continue-on-failure",
            *(["--auth", auth] if auth else []),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
    assert b" generated, " in output, output.decode()[-2000:]
