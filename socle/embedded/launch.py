"""Becomes a PostgreSQL program, as an identity that PostgreSQL accepts and on a data folder of its own.

`python -m socle.embedded.launch` is what the supervisor starts: each start, also that of a restart
after a crash, first ends what was left behind. Meant for EmbeddedPostgres, which holds the home.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from socle.embedded.errors import EmbeddedServerError
from socle.embedded.identity import Choice, choose_identity
from socle.embedded.orphans import remove_stale_pid_files, take_server_lock

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2  # linux/prctl.h
CLUSTER_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Launch:
    home: Path
    data: Path
    sockets: Path
    program: Sequence[str]
    server_lock: Path | None = None
    """Given for a server; initdb and single-user runs work on a folder that nobody else knows."""
    identity: Choice = "auto"

    def command(self) -> list[str]:
        return [
            sys.executable, "-m", "socle.embedded.launch",
            "--home", str(self.home), "--data", str(self.data), "--sockets", str(self.sockets),
            *(["--server-lock", str(self.server_lock)] if self.server_lock else []),
            "--identity", self.identity, "--", *self.program,
        ]  # fmt: skip

    def run(self) -> None:
        """Does not return: the process becomes the program, and keeps its number."""
        parent, death_signal = os.getppid(), _death_signal()
        identity = choose_identity(self.identity, self.home, [self.home, Path(self.program[0])])
        if self.server_lock is not None:
            take_server_lock(self.server_lock, self.data)
            remove_stale_pid_files(self.data, self.sockets)
        if identity.owner is not None:
            for folder in (self.data, self.sockets):
                give(folder, identity.owner)
        identity.assume()
        # The kernel forgets the request when the identity changes (prctl(2)).
        _die_with(parent, death_signal)
        os.chdir("/")
        os.execv(self.program[0], list(self.program))  # noqa: S606 - the point of this program


def give(folder: Path, owner: tuple[int, int]) -> None:
    """The folder itself comes last: its owner tells whether an earlier call came to its end."""
    if folder.stat().st_uid == owner[0]:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), *owner, follow_symlinks=False)
    os.chown(folder, *owner)


def _death_signal() -> int:
    """What the kernel was asked to send at the death of the parent; 0: nothing."""
    if not sys.platform.startswith("linux"):
        return 0
    asked = ctypes.c_int()
    ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(asked), 0, 0, 0)
    return asked.value


def _die_with(parent: int, death_signal: int) -> None:
    if death_signal == 0:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"socle: process {parent} ended before its PostgreSQL could start")


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a stop at this moment needs no traceback
    parser = argparse.ArgumentParser(prog="socle.embedded.launch")
    for name in ("--home", "--data", "--sockets"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--server-lock", type=Path)
    parser.add_argument("--identity", choices=("auto", "namespace", "drop"), default="auto")
    parser.add_argument("program", nargs="+")
    try:
        Launch(**vars(parser.parse_args())).run()
    except (EmbeddedServerError, OSError) as error:
        sys.exit(f"socle: {error}")


if __name__ == "__main__":
    main()
