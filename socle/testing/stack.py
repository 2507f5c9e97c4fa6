"""The whole of Socle as processes, on free ports and a home of its own, as `socle up` runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Self

import httpx

from socle.clock import monotonic
from socle.http.outgoing import trusted

SERVICES = ("psc", "ins", "dmp", "mss", "usage")
START_PATIENCE = 150.0


class StackError(RuntimeError):
    """The stack did not come up; the text ends with what it logged."""


# Below those that the system gives to outgoing connections and to whoever asks for any port: nobody
# takes one between the look and the start of its server. Processes that test side by side walk through
# them from different places.
_PORTS = range(20_000, 32_000)
_places = count(os.getpid() * 997)


def free_ports(wanted: int) -> list[int]:
    """Ports of which none was in use a moment ago, nor given by this process before."""
    found: list[int] = []
    for place in islice(_places, len(_PORTS)):
        if _is_free(port := _PORTS[place % len(_PORTS)]):
            found.append(port)
        if len(found) == wanted:
            return found
    raise StackError(f"none of the ports {_PORTS.start} to {_PORTS.stop} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection that lingers does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Stack:
    """`with Stack(home) as stack:` starts it; `stack.url` is the gateway."""

    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        names = (
            "gateway",
            "gateway_tls",
            *SERVICES,
            "mss_smtp",
            "mss_imap",
            "mss_peer",
            "mss_mllp",
            "mss_mllp_tls",
        )
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateway']}"

    @property
    def log_file(self) -> Path:
        return self.home / "stack.log"

    @property
    def environment(self) -> dict[str, str]:
        own = {f"SOCLE_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        urls = {
            f"SOCLE_{name.upper()}_URL": f"http://127.0.0.1:{self.ports[name]}" for name in SERVICES
        }
        given = {name: value for name, value in os.environ.items() if name[:6] != "SOCLE_"}
        return {
            **given, **own, **urls,
            "SOCLE_HOME": str(self.home),
            "SOCLE_PUBLIC_URL": self.url,
            **self.extra,
        }  # fmt: skip

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "socle.cli", "up"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = monotonic() + START_PATIENCE
        while not self.is_ready():
            if self._process is None or self._process.poll() is not None or monotonic() > deadline:
                raise StackError(f"Socle is not ready:\n{self.last_lines()}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5, verify=trusted(), trust_env=False)
            return answer.status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """As Ctrl-C does; the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGINT)
        return process.wait(timeout=120)

    def run(self, *command: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        """`socle <command>` against this stack."""
        return subprocess.run(  # noqa: S603 (a command of ours)
            [sys.executable, "-m", "socle.cli", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def last_lines(self, count: int = 40) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-count:])

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def kill_postgres(self) -> None:
        """SIGKILL to the server's main process; the supervisor brings it back. One that is on its way
        back from the last one is waited for: until then its file names a dead process, or nothing."""
        record = self.home / "postgres" / "postmaster.pid"
        deadline = monotonic() + START_PATIENCE
        while True:
            try:
                os.kill(int(record.read_text().splitlines()[0]), signal.SIGKILL)
                return
            except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
                if monotonic() > deadline:
                    raise
            time.sleep(0.1)
