"""Becomes another program, which dies when the process that launched it dies.

Run by file path, in isolated mode and without `site`: `python -I -S launch.py PARENT SIGNAL COMMAND…`.
The request to the kernel is made here, after the fork and in a process with one thread, because
code between fork and exec in a supervisor with threads may deadlock (Popen's `preexec_fn`).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int, death_signal: int) -> None:
    """Asks for a signal at the death of the parent. Elsewhere than on Linux nothing can be asked."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if os.getppid() != parent:  # it died before it could be asked for
        sys.exit(f"socle: process {parent} ended before its child could start")


def main(arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a stop at this moment needs no traceback
    parent, death_signal, *command = arguments
    die_with_parent(int(parent), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 - the point of this program
    except OSError as error:
        sys.exit(f"socle: cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
