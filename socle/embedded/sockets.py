"""The Unix socket of the embedded PostgreSQL: where it lies, and whether somebody answers on it."""

import hashlib
import os
import pwd
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path

from socle.embedded.errors import EmbeddedServerError

PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
# sun_path with its closing NUL: unix(7), and sys/un.h of macOS and the BSDs.
LONGEST_PATH = 107 if sys.platform.startswith("linux") else 103
PROTOCOL_3 = 196608


def socket_folder(home: Path) -> Path:
    """`<home>/run`, or a folder named after the home where that path is too long for a socket.

    /tmp rather than the session's TMPDIR: the server's shell and another one must find the same.
    """
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"socle-{digest}"  # noqa: S108 - owner and mode are checked


def make_private(folder: Path, home: Path) -> None:
    """The folder, with mode 0700. In /tmp anybody may have made it first: such a one is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in _our_users(home):
        raise EmbeddedServerError(
            f"{folder}, the folder of the PostgreSQL socket, belongs to another user. Remove it, or "
            "choose another folder (with a shorter path) with SOCLE_HOME."
        )
    folder.chmod(0o700)


def _our_users(home: Path) -> set[int]:
    """Ourselves; for root also those as whom the server may have run before (identity.py)."""
    ours = {os.geteuid()}
    if os.geteuid() == 0:
        ours.add(home.stat().st_uid)
        with suppress(KeyError):
            ours.add(pwd.getpwnam("nobody").pw_uid)
    return ours


def accepts_connections(folder: Path, user: str, database: str) -> bool:
    """Whether a session can be opened: what `pg_isready` asks, and that the database is there."""
    names = b"".join(part.encode() + b"\0" for part in ("user", user, "database", database))
    startup = struct.pack("!I", PROTOCOL_3) + names + b"\0"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(folder / SOCKET_NAME))
            connection.sendall(struct.pack("!I", len(startup) + 4) + startup)
            with connection.makefile("rb") as answers:
                while (kind := answers.read(1)) not in (b"Z", b"E", b""):
                    (length,) = struct.unpack("!I", answers.read(4))
                    answers.read(length - 4)
            with suppress(OSError):
                connection.sendall(b"X\0\0\0\4")  # Terminate
        except (OSError, struct.error):
            return False
    return kind == b"Z"  # ReadyForQuery
