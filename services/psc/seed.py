"""The test people and the client of a new space."""

from functools import cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from services.psc.domain.enrolment import Enrolment
from services.psc.repository import people
from services.psc.service import clients
from socle.db.database import WriteSession
from socle.people.official import official_people
from socle.spaces import Space


@cache
def official_clients() -> tuple[Enrolment, ...]:
    path = files("services.psc") / "data" / "clients-2026-11-26.yaml"
    raw = yaml.safe_load(path.read_text("utf-8"))["clients"]
    return TypeAdapter(tuple[Enrolment, ...]).validate_python(raw)


async def seed(session: WriteSession, space: Space) -> None:
    await people.upsert(session, space.name, official_people())
    for enrolment in official_clients():
        await clients.enrol(session, space.name, enrolment)
