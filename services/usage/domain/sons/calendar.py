"""The calendar of SONS: couloirs, their waves and dates, each date with its source and confidence.

Strict as the rule files are: what is not known here is refused (spec: usage.md §1 and §7).
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from services.usage.domain.rules.figures import Name, Sourced, Strict, Text

SONS_FILE = Path(__file__).parent.parent.parent / "sons" / "sons.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Step = Literal["published", "opened", "referenced_by", "ordered_by", "installed_by", "proven_by"]
"""`published`: the text that asks for the software; `opened`: the wave; the others are deadlines, whose
day counts whole."""


class Dated(Sourced):
    """A day. `precision` says how much of it the source gives."""

    day: date
    precision: Literal["day", "month", "year"] = "day"
    note: Text | None = None


class Milestone(Dated):
    former: Annotated[list[Dated], Field(max_length=20)] = Field([])
    """Announced before it, or said by another source."""


class Wave(Sourced):
    title: Text
    milestones: dict[Step, Milestone] = Field({})


class Category(Sourced):
    """Of software: national and public names alone."""

    title: Text


class Couloir(Sourced):
    title: Text
    categories: Annotated[dict[Name, Category], Field(min_length=1, max_length=50)]
    waves: Annotated[dict[Name, Wave], Field(min_length=1, max_length=20)]


class Calendar(Strict):
    schema_version: Literal[1] = Field(alias="schema")
    version: Name
    title: Text
    sources: dict[Name, Sourced] = Field({})
    couloirs: Annotated[dict[Name, Couloir], Field(min_length=1, max_length=50)]


def read_calendar(raw: Any) -> Calendar:
    """Raises pydantic.ValidationError."""
    return Calendar.model_validate(raw)


@cache
def calendar() -> Calendar:
    """The one that Socle ships."""
    return read_calendar(yaml.load(SONS_FILE.read_bytes(), Loader=_LOADER))  # noqa: S506 (a safe loader)
