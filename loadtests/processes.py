"""The processes of a PostgreSQL server: what they have used of the CPUs, and where they may run (Linux)."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Processes:
    """By the server's folder of data."""

    data: Path

    @property
    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def cpu_seconds(self) -> float:
        """Since the server started, of those too that have ended."""
        ticks = 0
        for pid, stat in self._all().items():
            used = stat[11:15]  # utime, stime, and those of children that have ended (proc(5))
            ticks += sum(used if pid == self.postmaster else used[:2])
        return ticks / TICKS

    def hold(self, cpus: set[int]) -> None:
        """These, and those that the server starts from now on."""
        for pid in self._all():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(pid, cpus)

    def _all(self) -> dict[int, list[int]]:
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(FileNotFoundError, ProcessLookupError):
                    found[int(folder.name)] = _stat(int(folder.name))
        parent = self.postmaster
        return {pid: stat for pid, stat in found.items() if parent in (pid, stat[1])}


def _stat(pid: int) -> list[int]:
    """The fields of /proc/<pid>/stat after the name, which may hold spaces; the state counts as 0."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]
