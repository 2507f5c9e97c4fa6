"""The test people and the client of a new space."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter

from services.psc.domain.enrolment import Enrolment
from services.psc.domain.person import Person
from services.psc.repository import people
from services.psc.service import clients
from socle.db.database import WriteSession
from socle.spaces import Space

DATA = files("services.psc") / "data"


def _read(name: str, section: str) -> Any:
    return yaml.safe_load((DATA / name).read_text("utf-8"))[section]


@cache
def official_people() -> tuple[Person, ...]:
    """Those that ANS has published, then Socle's own for the cases that they leave out."""
    raw = [
        *_read("people-2026-11-26.yaml", "people"),
        *_read("more-people-2026-11-26.yaml", "people"),
    ]
    return TypeAdapter(tuple[Person, ...]).validate_python(raw)


@cache
def official_clients() -> tuple[Enrolment, ...]:
    raw = _read("clients-2026-11-26.yaml", "clients")
    return TypeAdapter(tuple[Enrolment, ...]).validate_python(raw)


async def seed(session: WriteSession, space: Space) -> None:
    await people.upsert(session, space.name, official_people())
    for enrolment in official_clients():
        await clients.enrol(session, space.name, enrolment)
