"""The supervisor's end of the fork server: asks for processes, and hears how they end."""

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from socle.supervisor.spec import ProcessSpec

LARGEST_PACKET = 256 * 1024
SEVERAL_THREADS = 70
"""The server's exit code when a module has started a thread: a lock that this holds would stay locked in
each fork."""

ENDED_WITH_SERVER = -signal.SIGKILL


class Child(Protocol):
    """What the supervisor needs of a process, as asyncio.subprocess.Process has it."""

    @property
    def pid(self) -> int: ...
    async def wait(self) -> int: ...
    def send_signal(self, signal: int, /) -> None: ...


class ForkedChild:
    def __init__(self, pid: int, code: "asyncio.Future[int]") -> None:
        self.pid = pid
        self._code = code

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    def send_signal(self, number: int, /) -> None:
        if self._code.done():
            raise ProcessLookupError
        os.kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class _Life:
    started: "asyncio.Future[int]"
    """Its pid. Cancelled when it is no longer wanted."""
    code: "asyncio.Future[int]"


class ForkServer:
    """`with ForkServer(modules) as forks: Supervisor(specs, forks=forks).run()`

    Started before anything else, it imports the modules while the caller makes ready. When it ends
    unasked, all that it has forked ends with it, and the supervisor starts each again as a program.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        program = [sys.executable, "-m", "socle.supervisor.fork_server", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours, without a shell
                ProcessSpec("fork-server", [*program, *preload]).launch_command(),
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.on_loss: Callable[[str], None] = lambda _why: None
        """Called once when the server ends unasked."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._works = True
        self._requests = 0
        self._lives: dict[int, _Life] = {}

    @staticmethod
    def is_possible() -> bool:
        return sys.platform.startswith("linux")

    @property
    def pid(self) -> int:
        return self._process.pid

    def takes(self, spec: ProcessSpec) -> bool:
        return self._works and spec.module is not None

    async def spawn(self, spec: ProcessSpec, output: int) -> Child:
        """`output` stays the caller's. OSError when no process can be had."""
        self._listen()
        self._requests += 1
        number = self._requests
        request = {
            "id": number,
            "module": spec.module,
            "arguments": list(spec.argv[3:]),
            "environment": {"PYTHONUNBUFFERED": "1", **spec.env},
            "preload": list(spec.preload),
            "death_signal": int(spec.death_signal),
        }
        loop = asyncio.get_running_loop()
        life = _Life(loop.create_future(), loop.create_future())
        socket.send_fds(self._channel, [json.dumps(request).encode()], [output])
        self._lives[number] = life
        return ForkedChild(await life.started, life.code)

    def _listen(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._channel, self._hear)

    def _hear(self) -> None:
        try:
            packet = self._channel.recv(LARGEST_PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if packet:
            self._take(json.loads(packet))
        else:
            self._lose()

    def _take(self, answer: dict[str, Any]) -> None:
        life = self._lives[answer["id"]]
        if "pid" in answer:
            if life.started.cancelled():  # the stop came first
                _kill_session(answer["pid"])
            else:
                life.started.set_result(answer["pid"])
            return
        del self._lives[answer["id"]]
        if "code" in answer:
            life.code.set_result(answer["code"])
        elif not life.started.cancelled():
            life.started.set_exception(OSError(answer["error"], os.strerror(answer["error"])))

    def _lose(self) -> None:
        self._works = False
        self._stop_listening()
        self._process.kill()  # without its channel it is of no use
        code = self._process.wait()
        self.on_loss(
            "refused to fork beside another thread" if code == SEVERAL_THREADS else "has ended"
        )
        for life in self._lives.values():
            if not life.started.done():
                life.started.set_exception(OSError(errno.ECHILD, "the fork server has ended"))
            elif not life.started.cancelled():
                _kill_session(life.started.result())  # what it started, too
                life.code.set_result(ENDED_WITH_SERVER)
        self._lives.clear()

    def _stop_listening(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._channel)
        self._loop = None

    def close(self) -> None:
        """Once all that it forked has ended; what has not ends with it."""
        self._works = False
        self._stop_listening()
        self._channel.close()
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _kill_session(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
