"""Imports once what several processes need, and becomes a new one of them whenever it is asked to.

`python -m socle.supervisor.fork_server CHANNEL MODULE…`. It asks for modules only: no loop, no thread, no
connection and no random state exists here that a fork could share. It sleeps in `select`, and ends with
the supervisor; what it has forked ends with it. Linux only: the tie is one of its kernel.

Requests and answers are JSON, one a packet (`forking.py` is the other end):
  {"id": 7, "module": "socle.cli", "arguments": ["dmp"], "environment": {…}, "preload": […],
   "death_signal": 9}, with the descriptor that becomes the standard output and error
  {"id": 7, "pid": 4711}, then {"id": 7, "code": 0}; or {"id": 7, "error": 11} with the errno
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from socle.supervisor.command_line import show_command_line
from socle.supervisor.forking import LARGEST_PACKET, SEVERAL_THREADS
from socle.supervisor.launch import die_with_parent


@dataclass(frozen=True, slots=True)
class Request:
    id: int
    module: str
    arguments: list[str]
    environment: dict[str, str]
    preload: list[str]
    death_signal: int


class ForkServer:
    def __init__(self, channel: socket.socket, preload: list[str]) -> None:
        self._channel = channel
        self._to_import = preload
        self._forked: dict[int, int] = {}
        """pid → id of the request."""
        self._wakeup, wakeup_end = socket.socketpair()
        self._wakeup.setblocking(False)
        wakeup_end.setblocking(False)
        self._wakeup_end = wakeup_end
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup_end.fileno(), warn_on_full_buffer=False)

    def run(self) -> Request | None:
        """Returns in each fork, with what it is to become; None when the supervisor is gone."""
        while True:
            readable, _, _ = select.select(
                [self._channel, self._wakeup], [], [], 0 if self._to_import else None
            )
            if self._wakeup in readable:
                self._reap()
            if self._channel in readable:
                packet, descriptors, _, _ = socket.recv_fds(self._channel, LARGEST_PACKET, 1)
                if not packet:
                    return None
                request = Request(**json.loads(packet))
                if self._fork(request, descriptors[0]):
                    return request
            elif self._to_import:
                _import(self._to_import.pop(0))

    def _fork(self, request: Request, output: int) -> bool:
        """True in the child."""
        for module in request.preload:
            _import(module)
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            os._exit(SEVERAL_THREADS)  # at once: it takes its forks with it
        gc.freeze()  # a collection in the child would touch, hence copy, all that it shares
        server = os.getpid()
        alive, child_end = os.pipe()
        try:
            child = os.fork()
        except OSError as error:  # out of processes or memory
            self._answer(id=request.id, error=error.errno)
            child = -1
        if child == 0:
            os.close(alive)
            self._leave(output)
            os.setsid()
            die_with_parent(server, request.death_signal)
            os.close(child_end)
            return True
        os.close(output)
        os.close(child_end)
        if child > 0:
            os.read(alive, 1)  # until it has a session of its own, in which it can be killed
            self._forked[child] = request.id
            self._answer(id=request.id, pid=child)
        os.close(alive)
        return False

    def _leave(self, output: int) -> None:
        """In the child: nothing is left of the server but what it has imported."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._channel, self._wakeup, self._wakeup_end):
            end.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self._wakeup.recv(4096):
                pass
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                code = os.waitstatus_to_exitcode(status)
                self._answer(id=self._forked.pop(pid), code=code)

    def _answer(self, **fields: Any) -> None:
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # the next look at the channel ends it
            self._channel.send(json.dumps(fields).encode())


def _import(module: str) -> None:
    try:
        import_module(module)
    except Exception:  # noqa: BLE001 - the process that needs it tells of it, in its own log
        return


def become(request: Request) -> None:
    """As `python -m <module> <arguments>` would."""
    os.environ.update(request.environment)
    show_command_line([sys.executable, "-m", request.module, *request.arguments])
    sys.argv = [request.module, *request.arguments]
    gc.enable()
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def main() -> None:
    gc.disable()  # imports make objects that stay; looking for garbage among them took a tenth
    channel, *preload = sys.argv[1:]
    server = ForkServer(socket.socket(fileno=int(channel)), preload)
    request = server.run()
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
