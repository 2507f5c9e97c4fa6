"""Locks on files, held until the last process that inherited them has ended (flock(2))."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def try_lock(path: Path, *, shared_with_children: bool = False) -> int | None:
    """A descriptor that holds the lock, or None where another process holds it.

    Shared with children, the lock lasts as long as any of them lives. No process identifier is
    involved, so it stays true after a restart of the machine and across containers.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    os.set_inheritable(descriptor, shared_with_children)
    return descriptor


class OwnerLock:
    """Held by the process that runs the servers of one home: nobody else may start them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> bool:
        """Leaves the holder's process identifier in the file, for the message of `holder`."""
        if self._descriptor is None:
            self._descriptor = try_lock(self._path)
            if self._descriptor is not None:
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return self.held

    def holder(self) -> str:
        with suppress(OSError):
            return self._path.read_text().strip()
        return ""

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
