"""Applications for the windows of a programme, and the days on which they are taken (spec: usage.md §2.3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.usage.domain.rules import Programme
from socle.problems import Problem

State = Literal["to_come", "open", "closed"]
Applications = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Dates:
    """On which one applies for a window; half-open."""

    window: str
    start: date
    end: date
    state: State
    source: str
    confidence: str


def dates_of(programme: Programme, today: date) -> dict[str, Dates]:
    """Of the windows that have such dates, in the order of the file."""
    return {
        name: Dates(
            name, it.application.start, it.application.end,
            _state(it.application.start, it.application.end, today),
            it.application.source, it.application.confidence,
        )
        for name, it in programme.windows.items()
        if it.application is not None
    }  # fmt: skip


def _state(start: date, end: date, today: date) -> State:
    if today < start:
        return "to_come"
    return "open" if today < end else "closed"


def newly_applied(before: Applications, after: Applications) -> dict[str, tuple[str, ...]]:
    """Windows with groups that were not applied for. To apply for less is always taken."""
    return {
        window: tuple(groups)
        for window, groups in after.items()
        if set(groups) - set(before.get(window, ()))
    }


def out_of_time(programme: Programme, today: date, windows: Collection[str]) -> list[Problem]:
    """One for each window that does not take applications today."""
    known = dates_of(programme, today)
    return [
        _problem(known[name], known)
        for name in windows
        if name in known and known[name].state != "open"
    ]


def _problem(it: Dates, known: Mapping[str, Dates]) -> Problem:
    last = it.end - timedelta(days=1)
    open_now = [name for name, each in known.items() if each.state == "open"]
    elsewhere = f"; open today: {', '.join(open_now)}" if open_now else ""
    if it.state == "to_come":
        message = f"applications for {it.window} open on {it.start} and close on {last}"
    else:
        message = f"applications for {it.window} closed on {last}; they had opened on {it.start}"
    return Problem(
        "CANDIDATURE-DATES", f"/applications/{it.window}", message + elsewhere,
        f"from {it.start} to {last}", source=it.source,
    )  # fmt: skip
