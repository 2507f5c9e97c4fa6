"""POST /ins/identities/status: what DMP and MSS ask before they use an INS."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.ins import repository
from services.ins.api.views import refuse_if_any
from services.ins.domain.numbers import read_ins
from services.ins.events import fingerprints_of
from socle.auth.dependencies import ServiceSpace, kernel_of
from socle.db.sessions import ReadSession

router = APIRouter(prefix="/ins/identities", tags=["identities"])


class InsIn(BaseModel):
    """In the body, because a path or a query would carry the INS into access logs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    oid: str = Field(max_length=64)
    matricule: str = Field(max_length=32, description="13 characters, or 15 with the key")


@router.post("/status")
async def read_status(
    request: Request, body: InsIn, space: ServiceSpace, session: ReadSession
) -> dict[str, Any]:
    ins, problems = read_ins(body.oid, body.matricule)
    refuse_if_any(problems)
    assert ins is not None
    identity = await repository.get_by_ins(session, space.name, ins.oid, ins.matricule)
    if identity is None:
        return {"known": False, "status": None, "qualified": False, "trait_fingerprints": {}}
    return {
        "known": True,
        "status": identity.state.status.value,
        "qualified": identity.state.may_carry_ins,
        "trait_fingerprints": fingerprints_of(kernel_of(request), identity),
    }
