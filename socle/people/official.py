"""The test people of every space."""

from functools import cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from socle.people.person import Person

_FILES = ("people-2026-11-26.yaml", "more-people-2026-11-26.yaml")


@cache
def official_people() -> tuple[Person, ...]:
    """Those that ANS has published, then Socle's own for the cases that they leave out."""
    data = files("socle.people") / "data"
    raw = [
        person
        for name in _FILES
        for person in yaml.safe_load((data / name).read_text("utf-8"))["people"]
    ]
    return TypeAdapter(tuple[Person, ...]).validate_python(raw)
