"""Supervisors to look at: one inside the test, one as a process of its own that takes signals."""

import asyncio
import io
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from socle.clock import monotonic
from socle.supervisor import ProcessSpec, RestartPolicy, Supervisor
from tests.patience import PATIENCE_SECONDS

QUICK = RestartPolicy(first_delay=0.05, longest_delay=0.1)


def shell(name: str, script: str, **options: Any) -> ProcessSpec:
    return ProcessSpec(name, ["sh", "-c", script], **options)


class Running:
    """A supervisor that runs in the test's own event loop."""

    def __init__(self, output: io.BytesIO, task: "asyncio.Task[int]") -> None:
        self.task = task
        self._output = output

    @property
    def lines(self) -> list[str]:
        return self._output.getvalue().decode().splitlines()

    def said_by(self, name: str) -> list[str]:
        parts = [line.split(" │ ", 1) for line in self.lines]
        return [text for label, text in parts if label.strip() == name]

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while not condition():
            assert monotonic() < deadline, "\n".join(
                ["it did not happen; the output:", *self.lines]
            )
            await asyncio.sleep(0.01)

    async def until_dead(self, pid: int) -> None:
        """Lets the loop turn meanwhile: the supervisor that should end it runs in it."""
        await self.until(lambda: not is_alive(pid))


@asynccontextmanager
async def _supervised(
    *specs: ProcessSpec, on_ready: Callable[[], None] | None = None, **options: Any
) -> AsyncIterator[Running]:
    output = io.BytesIO()
    options = {"restart": QUICK, "stop_grace": 30.0, "colour": False, **options}
    supervisor = Supervisor(specs, on_ready=on_ready, output=output, **options)
    task = asyncio.create_task(supervisor.supervise())
    try:
        yield Running(output, task)
    finally:
        task.cancel()
        await asyncio.wait([task])  # what it raised is for the test to look at


@pytest.fixture
def supervised() -> Callable[..., AbstractAsyncContextManager[Running]]:
    return _supervised


class SupervisorProcess:
    """A supervisor in a process of its own."""

    def __init__(self, script: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(script)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while text not in self.output:
            assert monotonic() < deadline, f"{text!r} never came; the output:\n{self.output}"
            time.sleep(0.02)

    def pid_of(self, name: str) -> int:
        """Of a process that wrote `pid=<its number>`."""
        deadline = monotonic() + PATIENCE_SECONDS
        pattern = re.compile(rf"^{name} +│ pid=(\d+)$", re.MULTILINE)
        while (found := pattern.search(self.output)) is None:
            assert monotonic() < deadline, f"{name} did not start; the output:\n{self.output}"
            time.sleep(0.02)
        return int(found[1])

    def ctrl_c(self) -> None:
        """As a terminal does it: to the whole foreground group."""
        os.killpg(self.process.pid, 2)


@pytest.fixture
def supervisor_process(tmp_path: Path) -> Iterator[Callable[[str], SupervisorProcess]]:
    """Takes the specs as Python source, with `shell(name, script, **options)` at hand."""
    started: list[SupervisorProcess] = []

    def start(specs: str, options: str = "") -> SupervisorProcess:
        script = tmp_path / "supervise.py"
        script.write_text(
            textwrap.dedent(
                """
                import signal, sys
                from socle.supervisor import ForkServer, ProcessSpec, RestartPolicy, Supervisor
                def shell(name, script, **options):
                    return ProcessSpec(name, ["sh", "-c", script], **options)
                specs = [{specs}]
                ready = lambda: print("EVERYTHING READY")
                sys.exit(Supervisor(specs, on_ready=ready, {options}).run())
                """
            ).format(specs=specs, options=options)
        )
        started.append(SupervisorProcess(script, tmp_path / "output.log"))
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.process.kill()
        supervisor.process.wait()


def is_alive(pid: int) -> bool:
    """A zombie is not: it only waits for somebody to read its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def wait_until_dead() -> Callable[[int], None]:
    def wait(pid: int) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while is_alive(pid):
            assert monotonic() < deadline, f"process {pid} still lives"
            time.sleep(0.02)

    return wait


@pytest.fixture
def process() -> Callable[..., ProcessSpec]:
    return shell
