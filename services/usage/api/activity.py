"""Structures, and the activity that they declare."""

from datetime import UTC, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.usage import repository, service
from services.usage.domain.acts import Act
from services.usage.domain.period import EARLIEST, LATEST
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession, WriteSession

router = APIRouter(prefix="/usage", tags=["activity"])

# Nine characters; the fictive ones of the test platforms hold letters (spec: psc.md §8).
FINESS = r"^[0-9AB][0-9A-Z]{8}$"
Finess = Annotated[str, Path(pattern=FINESS)]
# PostgreSQL cannot hold U+0000, and an identifier or a name has no use for control characters.
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
# The same bounds as a period's.
Instant = Annotated[
    AwareDatetime,
    Field(ge=datetime.combine(EARLIEST, time(), UTC), lt=datetime.combine(LATEST, time(), UTC)),
]


class StructureIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Text


@router.put("/structures/{finess}")
async def declare_structure(
    finess: Finess, body: StructureIn, space: CallerSpace, session: WriteSession
) -> dict[str, str]:
    await repository.upsert_structure(session, space.name, finess, body.name)
    return {"finess": finess, "name": body.name}


@router.get("/structures")
async def list_structures(space: CallerSpace, session: ReadSession) -> list[dict[str, str]]:
    found = await repository.list_structures(session, space.name)
    return [{"finess": finess, "name": name} for finess, name in found]


@router.get("/quarantine")
async def read_quarantine(space: CallerSpace, session: ReadSession) -> dict[str, Any]:
    """Documents whose structure is not declared: they count as soon as it is."""
    by_structure = await repository.count_quarantined(session, space.name)
    return {"documents": sum(by_structure.values()), "by_structure": by_structure}


class ActIn(BaseModel):
    """One act; `act_id` is the vendor's own and makes the declaration idempotent."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["report.validated"]
    domain: Literal["biology"]
    structure: Annotated[str, Field(pattern=FINESS)]
    act_id: Text
    act_at: Instant


class ActivityIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    acts: list[ActIn] = Field(min_length=1, max_length=10_000)


@router.post("/activity", status_code=201)
async def declare_activity(
    body: ActivityIn, space: CallerSpace, session: WriteSession
) -> dict[str, int]:
    acts = [Act(a.kind, a.structure, a.act_id, a.domain, a.act_at) for a in body.acts]
    await service.declare_activity(session, space, acts)
    return {"declared": len(acts)}
