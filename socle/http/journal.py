"""The request journal: the last requests, bounded, for a vendor to read what was refused and why."""

from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from socle.problems import Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """Paths are kept without their query, which may carry a patient's identifiers."""

    at: datetime
    space: str | None
    method: str
    path: str
    status: int
    milliseconds: float
    correlation_id: str
    refusal: str | None
    problems: tuple[Problem, ...]
    faults: tuple[str, ...] = ()
    """The rules of the space that struck."""


class Journal:
    """A ring in memory. Size 0 turns it off, for load tests."""

    def __init__(self, size: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)

    def find(
        self, space: str, *, refused_only: bool = False, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The newest first."""
        found = []
        for entry in reversed(self._entries):
            if entry.space == space and (entry.refusal or not refused_only):
                found.append(asdict(entry))
                if len(found) == limit:
                    break
        return found
