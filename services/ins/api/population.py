"""POST /_sandbox/ins/people/synthetic: patients who do not exist, in any number."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.ins import bulk, register
from services.ins.domain.person import Person
from services.ins.domain.population import population
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import WriteSession
from socle.http.control import sandbox_only

router = APIRouter(
    prefix="/_sandbox/ins/people", tags=["control plane"], dependencies=[sandbox_only]
)


class Synthetic(BaseModel):
    """The same seed and numbers name the same people, here and in every other space."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=1, le=20_000, description="ask again with another start for more")
    seed: int = Field(0, ge=0, le=1_000_000)
    start: int = Field(0, ge=0, le=100_000_000)
    qualified: bool = Field(False, description="with identity records that DMP and MSS accept")


class Stored(BaseModel):
    """`qualified` counts the identity records that were made: not those that were there."""

    stored: int
    qualified: int = 0


@router.post("/synthetic")
async def make_people(
    request: Request, session: WriteSession, space: RequestSpace, asked: Synthetic
) -> Stored:
    def drawn() -> list[Person]:
        return list(population(asked.seed, asked.start, asked.count))

    people = await asyncio.to_thread(drawn)
    await register.upsert_people(session, space.name, people)
    made = await bulk.qualify(session, kernel_of(request), space, people) if asked.qualified else 0
    return Stored(stored=len(people), qualified=made)
