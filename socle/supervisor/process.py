"""One supervised process: started, watched, restarted, stopped."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from socle.clock import monotonic
from socle.supervisor.forking import Child, ForkServer
from socle.supervisor.output import Console, LineSplitter
from socle.supervisor.spec import ProcessSpec, RestartPolicy

PROBE_INTERVAL = 0.1
LAST_OUTPUT_WAIT = 1.0
SUPERVISOR = "socle"


class ManagedProcess:
    def __init__(
        self,
        spec: ProcessSpec,
        console: Console,
        policy: RestartPolicy,
        ready_timeout: float,
        forks: ForkServer | None = None,
    ) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        """Set when the process was ready for the first time; what waits for it may start."""
        self.ended = asyncio.Event()
        """Set when it will not run again."""
        self._console = console
        self._policy = policy
        self._ready_timeout = ready_timeout
        self._forks = forks
        self._probe = spec.readiness()
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._retired = asyncio.Event()
        self._waiting_since: float | None = None
        self._lateness_told = False
        self._last_lines: deque[bytes] = deque()

    async def run(self, awaited: Iterable["ManagedProcess"]) -> None:
        """Until `stop`, or until a process that runs once has succeeded."""
        self._task = asyncio.current_task()
        try:
            for other in awaited:
                await other.ready.wait()
            await self._run_again_and_again()
        except asyncio.CancelledError:
            if not self._retired.is_set():
                raise
        finally:
            self.ended.set()

    async def _run_again_and_again(self) -> None:
        failures = 0
        while True:
            started = monotonic()
            outcome = await self._run_to_its_end()
            if self.spec.once and outcome == describe_exit(0):
                self.ready.set()
                return
            if self._retired.is_set():
                return
            lasted = monotonic() - started
            failures = 1 if lasted >= self._policy.calm_after else failures + 1
            delay = self._policy.delay_after(failures)
            self._say(f"{outcome} after {lasted:.1f} s; restarting in {delay:g} s")
            await asyncio.sleep(delay)
            if self._retired.is_set():
                return

    async def _run_to_its_end(self) -> str:
        """One life of the process, and how it ended."""
        try:
            pipe, self._child = await self._spawn()
        except OSError as error:  # out of processes, memory or file descriptors
            return f"could not be started ({error.strerror})"
        child = self._child
        try:
            async with asyncio.TaskGroup() as group:
                becoming_ready = group.create_task(self._become_ready())
                code = await child.wait()
                becoming_ready.cancel()
            return describe_exit(code)
        finally:
            self._kill_group()  # also what the process itself left behind
            await child.wait()
            self._child = None
            await pipe.finish(LAST_OUTPUT_WAIT)

    async def _spawn(self) -> tuple["_OutputPipe", Child]:
        """In a session of its own: a Ctrl-C in the terminal reaches the supervisor alone.

        The output pipe is ours rather than asyncio's, whose `wait` would also wait for every
        grandchild that keeps the pipe open.
        """
        pipe = _OutputPipe(self._console, self.spec.name)
        self._last_lines = pipe.splitter.last
        write_end = await pipe.open()
        try:
            if self._forks is not None and self._forks.takes(self.spec):
                child = await self._forks.spawn(self.spec, write_end)
            else:
                child = await self._execute(write_end)
        except BaseException:
            pipe.close()
            raise
        finally:
            os.close(write_end)
        return pipe, child

    async def _execute(self, output: int) -> Child:
        return await asyncio.create_subprocess_exec(
            *self.spec.launch_command(),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.spec.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    async def _become_ready(self) -> None:
        """Probes until the process answers, and tells once when that takes too long."""
        if self.spec.once:
            return
        if self._waiting_since is None:
            self._waiting_since = monotonic()
        while self._probe is not None and not await self._probe():
            self._tell_lateness(monotonic() - self._waiting_since)
            await asyncio.sleep(PROBE_INTERVAL)
        if self._probe is not None:
            self._say(f"is ready after {monotonic() - self._waiting_since:.1f} s")
        self._waiting_since = None
        self._lateness_told = False
        self.ready.set()

    def _tell_lateness(self, waited: float) -> None:
        if self._lateness_told or waited < self._ready_timeout:
            return
        self._lateness_told = True
        self._say(f"is not ready after {waited:.0f} s and is still waited for; its last lines:")
        for line in self._last_lines or [b"(it wrote nothing)"]:
            self._console.line(SUPERVISOR, b"  " + self.spec.name.encode() + b" > " + line)

    def retire(self) -> None:
        """Not to be started again: the stop has begun, though it may come to this one last."""
        self._retired.set()

    async def stop(self, grace: float) -> bool:
        """Asks the process to end; False when it had to be killed."""
        self.retire()
        child = self._child
        if child is None:  # it waits for another one, or for its restart
            if self._task is not None:
                self._task.cancel()
            await self.ended.wait()
            return True
        with suppress(ProcessLookupError):
            child.send_signal(self.spec.stop_signal)
        try:
            async with asyncio.timeout(grace):
                await self.ended.wait()
            return True
        except TimeoutError:
            self._say(f"did not stop within {grace:g} s and is killed")
            self.kill()
            await self.ended.wait()
            return False

    def kill(self) -> None:
        """At once, and for good."""
        self.retire()
        self._kill_group()

    def _kill_group(self) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _say(self, what: str) -> None:
        self._console.line(SUPERVISOR, f"{self.spec.name} {what}".encode())


class _OutputPipe(asyncio.Protocol):
    """The read end of what a process writes."""

    def __init__(self, console: Console, name: str) -> None:
        self.splitter = LineSplitter()
        self._console = console
        self._name = name
        self._closed = asyncio.Event()
        self._transport: asyncio.ReadTransport | None = None

    async def open(self) -> int:
        """The write end, for the process."""
        read_end, write_end = os.pipe()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(read_end, "rb"))
        return write_end

    def data_received(self, data: bytes) -> None:
        for line in self.splitter.feed(data):
            self._console.line(self._name, line)

    def connection_lost(self, exc: Exception | None) -> None:
        for line in self.splitter.end():
            self._console.line(self._name, line)
        self._closed.set()

    async def finish(self, wait: float) -> None:
        """Reads what is left; a grandchild that keeps the pipe open is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._closed.wait()
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def describe_exit(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was killed by signal {-code}"
