"""Runs a set of processes as one: in order, with their logs, until a signal; then stops them."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, BinaryIO

from socle.supervisor.forking import ForkServer
from socle.supervisor.output import Console
from socle.supervisor.process import SUPERVISOR, ManagedProcess
from socle.supervisor.spec import ProcessSpec, RestartPolicy, check_specs

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

OnReady = Callable[[], Awaitable[None] | None]


class Supervisor:
    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        on_ready: OnReady | None = None,
        restart: RestartPolicy | None = None,
        ready_timeout: float = 30.0,
        stop_grace: float = 10.0,
        output: BinaryIO | None = None,
        colour: bool | None = None,
        forks: ForkServer | None = None,
    ) -> None:
        """`on_ready` is called once, when all have been ready; `colour` None follows the terminal.

        `forks` makes the processes that name modules to preload; it stays the caller's to close.
        """
        check_specs(specs)
        self._specs = specs
        self._on_ready = on_ready
        self._restart = restart or RestartPolicy()
        self._ready_timeout = ready_timeout
        self._stop_grace = stop_grace
        self._output = output
        self._colour = colour
        self._forks = forks
        self._signals: list[signal.Signals] = []
        self._processes: dict[str, ManagedProcess] = {}

    def run(self) -> int:
        return asyncio.run(self.supervise())

    async def supervise(self) -> int:
        """Until SIGINT, SIGTERM or SIGHUP, or until every process has ended that runs only once.

        The exit code: 0 after a clean stop, 1 when a process had to be killed because it did not
        stop, 130 when a second Ctrl-C asked to kill at once.
        """
        console = self._console()
        self._processes = {
            spec.name: ManagedProcess(
                spec, console, self._restart, self._ready_timeout, self._forks
            )
            for spec in self._specs
        }
        if self._forks is not None:
            self._forks.on_loss = lambda why: console.line(
                SUPERVISOR,
                f"the fork server {why}; what it made starts again, each by itself".encode(),
            )
        stop = asyncio.Event()
        with self._signal_handlers(stop):
            running = asyncio.gather(*map(self._run_one, self._processes.values()))
            telling = asyncio.create_task(self._tell_ready())
            try:
                await _until_asked_or_ended(stop, running, telling)
            finally:
                clean = await self._stop_all(console)
                telling.cancel()
            await running
        if telling.done() and not telling.cancelled():
            telling.result()  # what on_ready raised stops the run, cleanly, and is raised here
        return self._exit_code(clean)

    def _exit_code(self, clean: bool) -> int:
        if signal.SIGINT in self._signals[1:]:
            return 128 + signal.SIGINT
        return 0 if clean else 1

    def _console(self) -> Console:
        names = [SUPERVISOR, *(spec.name for spec in self._specs)]
        return Console(self._output or sys.stdout.buffer, names, colour=self._colour)

    @contextmanager
    def _signal_handlers(self, stop: asyncio.Event) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def on_signal(number: signal.Signals) -> None:
            self._signals.append(number)
            stop.set()
            if signal.SIGINT in self._signals[1:]:
                for process in self._processes.values():
                    process.kill()

        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, on_signal, number)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)

    async def _run_one(self, process: ManagedProcess) -> None:
        await process.run([self._processes[other] for other in process.spec.after])

    async def _tell_ready(self) -> None:
        for process in self._processes.values():
            await process.ready.wait()
        if self._on_ready is not None:
            told = self._on_ready()
            if isawaitable(told):
                await told
            sys.stdout.flush()  # before the next log line, which goes below the text layer

    async def _stop_all(self, console: Console) -> bool:
        """Each process as soon as all that need it have ended: the database is the last."""
        if self._signals:
            hint = "; a second Ctrl-C kills at once" if self._signals[0] == signal.SIGINT else ""
            console.line(SUPERVISOR, f"stopping on {self._signals[0].name}{hint}".encode())

        for process in self._processes.values():
            process.retire()

        async def stop_one(process: ManagedProcess) -> bool:
            for other in self._processes.values():
                if process.spec.name in other.spec.after:
                    await other.ended.wait()
            return await process.stop(self._stop_grace)

        return all(await asyncio.gather(*map(stop_one, self._processes.values())))


async def _until_asked_or_ended(
    stop: asyncio.Event, running: asyncio.Future[list[None]], telling: asyncio.Task[None]
) -> None:
    asked = asyncio.create_task(stop.wait())
    ends: set[asyncio.Future[Any]] = {asked, running}
    try:
        done, _ = await asyncio.wait(ends | {telling}, return_when=asyncio.FIRST_COMPLETED)
        if done == {telling} and telling.exception() is None:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
