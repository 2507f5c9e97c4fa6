"""As whom PostgreSQL runs. It refuses to be root, and Socle must work for root too.

Root gets, in this order, the first that works here:
1. the owner of the home, where that is an ordinary user (a checkout mounted into a container);
2. a user namespace that gives root another name: to the kernel the process stays root, so that
   every file keeps its owner and nothing has to be opened to others, and it has no capability;
3. the user `nobody`, which owns the data from then on, and must be able to reach all paths.

Whether one works is tried in a child process with the very paths that the server will use.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from socle.embedded.errors import EmbeddedServerError

Choice = Literal["auto", "namespace", "drop"]

CLONE_NEWUSER = 0x10000000  # linux/sched.h
PREFERRED_NAMES = ("daemon", "bin", "nobody")


@dataclass(frozen=True, slots=True)
class Identity:
    description: str
    owner: tuple[int, int] | None
    """Who must own the data, seen from outside of a namespace; None: it stays as it is."""
    assume: Callable[[], None]


def choose_identity(choice: Choice, home: Path, reachable: Sequence[Path]) -> Identity:
    """The first identity that works, with `reachable` accessible to it."""
    refusals = []
    for identity in _candidates(choice, home):
        refusal = _try(identity, reachable)
        if refusal is None:
            return identity
        refusals.append(f"as {identity.description}: {refusal}")
    raise EmbeddedServerError(
        "The embedded PostgreSQL cannot run here (" + "; ".join(refusals) + "). Put SOCLE_HOME and "
        "the Python environment into folders that every user may traverse, run Socle as an "
        "ordinary user, or give another server in SOCLE_DATABASE_URL."
    )


def _candidates(choice: Choice, home: Path) -> Iterator[Identity]:
    user = os.geteuid()
    if user != 0 and choice == "auto" and _has_name(user):
        yield Identity("the current user", None, lambda: None)
        return
    if user == 0 and choice == "auto":
        status = home.stat()
        if status.st_uid != 0:
            yield _dropped("the owner of the home", status.st_uid, status.st_gid)
    if choice in ("auto", "namespace"):
        own = (os.geteuid(), os.getegid())
        yield Identity("a user of a namespace", own, _enter_namespace)
    if user == 0 and choice in ("auto", "drop"):
        nobody = pwd.getpwnam("nobody")
        yield _dropped("nobody", nobody.pw_uid, nobody.pw_gid)


def _has_name(user: int) -> bool:
    """initdb refuses a user without an entry in the password database."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _dropped(description: str, user: int, group: int) -> Identity:
    def assume() -> None:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)

    return Identity(description, (user, group), assume)


def _enter_namespace() -> None:
    """Maps the present user to an ordinary one (user_namespaces(7)); capabilities end at exec."""
    if not sys.platform.startswith("linux"):
        raise OSError("only Linux has user namespaces")
    user, group = os.geteuid(), os.getegid()
    inside = _ordinary_user()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {group} 1")


def _ordinary_user() -> pwd.struct_passwd:
    """`nobody` comes last: the kernel also shows files of users outside the namespace as its own."""
    for name in PREFERRED_NAMES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise OSError(f"no user {' or '.join(PREFERRED_NAMES)} on this system")


def _try(identity: Identity, reachable: Sequence[Path]) -> str | None:
    """Assumes the identity in a child; what it said when it could not, None when it could."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(write_end, _refusal(identity, reachable).encode()[:4000])
            status = 0
        finally:
            os._exit(status)  # whatever happened, the child must not go on with the parent's work
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8", errors="replace") as answer:
        refusal = answer.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        return f"the trial ended with status {status}"
    return refusal or None


def _refusal(identity: Identity, reachable: Sequence[Path]) -> str:
    try:
        identity.assume()
    except (OSError, KeyError) as error:
        return str(error)
    unreachable = [str(path) for path in reachable if not os.access(path, os.X_OK)]
    return f"{', '.join(unreachable)} cannot be reached" if unreachable else ""
