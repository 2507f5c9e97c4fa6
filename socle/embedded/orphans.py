"""Never two servers on one data folder: what a killed supervisor or postmaster left is ended first.

The postmaster and its backends inherit a lock (`server.lock`); while it is held, one of them lives.
Who holds it is read from /proc, where each has the data folder as its working directory.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from socle.clock import monotonic
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.locks import try_lock

PROC = Path("/proc")
PID_FILE = "postmaster.pid"

# A backend without postmaster ends by itself, a fast shutdown writes a checkpoint first, and
# an immediate one (SIGQUIT) is as safe as a power cut: the next start replays the log.
PATIENCE = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 5.0))
PATIENCE_WITHOUT_POSTMASTER = 3.0


def take_server_lock(lock: Path, data: Path) -> int:
    """The lock, inheritable, once every process of an earlier server on `data` has ended."""
    for stop_signal, patience in PATIENCE:
        descriptor = try_lock(lock, shared_with_children=True)
        if descriptor is not None:
            _refuse_foreign_server(data, descriptor)
            return descriptor
        postmaster_lives = _signal_server(data, stop_signal)
        _wait_for(lock, patience if postmaster_lives else PATIENCE_WITHOUT_POSTMASTER)
    descriptor = try_lock(lock, shared_with_children=True)
    if descriptor is None:
        raise EmbeddedServerError(
            f"A PostgreSQL server still runs on {data} and cannot be ended from here (another "
            "container, or another user's?). Stop it, or choose another folder with SOCLE_HOME."
        )
    _refuse_foreign_server(data, descriptor)
    return descriptor


def remove_stale_pid_files(data: Path, sockets: Path) -> None:
    """For a caller that holds the lock and so knows that no server lives.

    PostgreSQL would take any process that has got the recorded number since for its server, and
    refuse to start; in a restarted container the numbers are always taken.
    """
    if PROC.joinpath("self").exists():  # elsewhere foreign servers cannot be ruled out
        (data / PID_FILE).unlink(missing_ok=True)
    for left in sockets.glob(".s.PGSQL.*"):
        left.unlink(missing_ok=True)


def _wait_for(lock: Path, patience: float) -> None:
    deadline = monotonic() + patience
    while monotonic() < deadline:
        descriptor = try_lock(lock)
        if descriptor is not None:
            os.close(descriptor)
            return
        time.sleep(0.05)


def _signal_server(data: Path, stop_signal: signal.Signals) -> bool:
    """Whether the postmaster lives. The first signal is for it alone: it ends its backends in good order."""
    found = set(_processes_on(data))
    postmaster = _recorded_postmaster(data)
    for pid in found & {postmaster} if stop_signal == signal.SIGINT else found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, stop_signal)
    return postmaster in found


def _recorded_postmaster(data: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int((data / PID_FILE).read_text().splitlines()[0])
    return None


def _processes_on(data: Path) -> Iterator[int]:
    if not PROC.joinpath("self").exists():
        recorded = _recorded_postmaster(data)
        if recorded is not None:
            yield recorded
        return
    for process in PROC.iterdir():
        if process.name.isdigit() and _is_server(process, data):
            yield int(process.name)


def _is_server(process: Path, data: Path) -> bool:
    with suppress(OSError):  # it ended, or belongs to another user
        return (process / "cwd").samefile(data) and (
            process / "comm"
        ).read_text().strip() == "postgres"
    return False


def _refuse_foreign_server(data: Path, descriptor: int) -> None:
    """A server that somebody started by other means does not hold our lock, and is not ours to end."""
    if not PROC.joinpath("self").exists():
        return
    foreign = sorted(_processes_on(data))
    if foreign:
        os.close(descriptor)
        raise EmbeddedServerError(
            f"A PostgreSQL server that Socle did not start runs on {data} (process {foreign[0]}). "
            "Stop it, or choose another folder with SOCLE_HOME."
        )
