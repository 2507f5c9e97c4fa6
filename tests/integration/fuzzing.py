"""Schemathesis (PyPI) sends what it makes up from a service's OpenAPI document."""

import asyncio
import sys


async def find_server_errors(
    url: str, service: str, *options: str, left_out: tuple[str, ...]
) -> None:
    """Fails with what was sent where an answer was 5xx. Faults are left out: they are 5xx on purpose."""
    paths = [word for path in ("/_sandbox/faults", *left_out) for word in ("--exclude-path", path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run",
        f"{url}/_sandbox/{service}/openapi.json",
        "--checks", "not_a_server_error",
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", "15",
        "--request-timeout", "120",  # of itself, ten seconds without an answer are a failure
        "--seed", "20261127",
        "--workers", "1",  # ast.parse of Python 3.11 fails in threads now and then
        "--suppress-health-check", "all",
        "--warnings", "off",
        "--continue-on-failure",
        *paths, *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
    assert b" generated, " in output, output.decode()[-2000:]
