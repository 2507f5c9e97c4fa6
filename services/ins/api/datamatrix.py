"""The datamatrix of an identity: what a label carries, and what a scanner read."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ins import repository
from services.ins.api.views import ins_view, refuse_if_any, traits_view
from services.ins.datamatrix_picture import MENTION, svg
from services.ins.domain.datamatrix import decode, encode
from services.ins.service import unknown_identity
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError

router = APIRouter(prefix="/ins", tags=["datamatrix"])


class ScannedIn(BaseModel):
    """Whole, as the scanner gave it: separators (ASCII 29, `\\u001d` in JSON) included."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str = Field(max_length=4096)


@router.get("/identities/{identity_id}/datamatrix")
async def read_text(identity_id: UUID, space: CallerSpace, session: ReadSession) -> dict[str, str]:
    return {"text": await _text(session, space.name, identity_id), "mention": MENTION}


@router.get("/identities/{identity_id}/datamatrix.svg", response_class=Response)
async def draw(identity_id: UUID, space: CallerSpace, session: ReadSession) -> Response:
    picture = svg(await _text(session, space.name, identity_id))
    return Response(picture, headers={"Cache-Control": "no-store"}, media_type="image/svg+xml")


@router.post("/datamatrix/decode")
async def read_scanned(body: ScannedIn, space: CallerSpace) -> dict[str, Any]:
    """Traits and INS, or everything that is wrong. Nothing is looked up: it proves nothing."""
    scanned, problems = decode(body.text)
    refuse_if_any(problems)
    assert scanned is not None
    return {"traits": traits_view(scanned.traits), "ins": ins_view(scanned.ins)}


async def _text(session: ReadSession, space: str, identity_id: UUID) -> str:
    """Only a qualified identity has one (EXI ID 29, EXI DIF 02)."""
    identity = await repository.get_identity(session, space, identity_id)
    if identity is None:
        raise unknown_identity()
    if not identity.state.may_carry_ins or identity.ins is None:
        raise DomainError(
            Category.UNPROCESSABLE,
            "identity_not_qualified",
            f"Seule une identité qualifiée a un datamatrix INS ; celle-ci est "
            f"{identity.state.status.value}.",
        )
    return encode(identity.traits, identity.ins)
