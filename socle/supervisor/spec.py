"""What the supervisor must know of a process."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from socle.supervisor.readiness import Probe, http_probe

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own environment."""
    ready_url: str | None = None
    """A health endpoint; without it (and without `probe`) a started process is ready."""
    after: Sequence[str] = ()
    """Names of the processes that must be ready before this one starts, and stop after it."""
    probe: Probe | None = None
    """Readiness of what speaks no HTTP."""
    once: bool = False
    """A process that does its work and ends: ready when it has ended with 0, not restarted then."""
    stop_signal: Signals = Signals.SIGTERM
    death_signal: Signals = Signals.SIGKILL
    """What the kernel sends when the supervisor itself is killed (Linux)."""
    preload: Sequence[str] = ()
    """Modules without which it cannot start: where they are named, a fork server may make this process."""

    def readiness(self) -> Probe | None:
        return http_probe(self.ready_url) if self.ready_url is not None else self.probe

    @property
    def module(self) -> str | None:
        """Of a process that can be forked: `argv` is then `python -m <module> …`."""
        python_m = [sys.executable, "-m"]
        return self.argv[2] if self.preload and list(self.argv[:2]) == python_m else None

    def launch_command(self) -> list[str]:
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        return [*launcher, str(os.getpid()), str(int(self.death_signal)), *self.argv]


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Delays between restarts: doubled each time, bounded, forgotten after a calm run."""

    first_delay: float = 0.5
    longest_delay: float = 15.0
    calm_after: float = 30.0
    """A process that ran so many seconds starts again with the first delay."""

    def delay_after(self, failures: int) -> float:
        doublings = min(failures - 1, 30)  # beyond any delay in use, and far below an overflow
        return min(self.first_delay * 2.0**doublings, self.longest_delay)


def check_specs(specs: Sequence[ProcessSpec]) -> None:
    """Refuses names that are doubled or unknown, circles of waiting, and unusable URLs."""
    for spec in specs:
        spec.readiness()
    names = [spec.name for spec in specs]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"more than one process is named {', '.join(doubled)}")
    waits = {spec.name: set(spec.after) for spec in specs}
    for name, awaited in waits.items():
        if unknown := sorted(awaited - waits.keys()):
            raise ValueError(f"{name} waits for {', '.join(unknown)}, which is not a process here")
    while startable := {name for name, awaited in waits.items() if not awaited}:
        waits = {name: waits[name] - startable for name in waits.keys() - startable}
    if waits:
        raise ValueError(f"these processes wait for one another: {', '.join(sorted(waits))}")
