"""Speaks with the validating process, and starts another when one is lost or stays silent."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Final

import orjson

MAX_ANSWER: Final = 4 * 1024 * 1024


class SilentEngineError(RuntimeError):
    """The process said nothing in time, or ended."""


class Engine:
    def __init__(self, xsd: Path | None, schematrons: Path | None, timeout_seconds: float) -> None:
        self._arguments = [
            *(("--xsd", str(xsd)) if xsd else ()),
            *(("--schematrons", str(schematrons)) if schematrons else ()),
        ]
        self._timeout = timeout_seconds
        self._process: Process | None = None

    async def check(self, content: bytes) -> list[dict[str, Any]]:
        """The findings; SilentEngineError for a document that no process survives."""
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._timeout):
                process.stdin.write(len(content).to_bytes(8, "big") + content)
                await process.stdin.drain()
                line = await process.stdout.readline()
        except (TimeoutError, OSError, ValueError) as error:
            await self.close()
            raise SilentEngineError(f"no answer in {self._timeout:.0f} s") from error
        if not line:
            await self.close()
            raise SilentEngineError("the validating process ended")
        found: list[dict[str, Any]] = orjson.loads(line)
        return found

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.dmp.deep.child", *self._arguments,
                stdin=PIPE, stdout=PIPE, limit=MAX_ANSWER,
            )  # fmt: skip
        return self._process
