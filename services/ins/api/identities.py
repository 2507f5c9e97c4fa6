"""/ins/identities: the records of the caller's patients."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ins import repository
from services.ins.api.views import TraitsIn, history_view, identity_view
from services.ins.service import Identities, unknown_identity
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.ids import identity_status as life

router = APIRouter(prefix="/ins/identities", tags=["identities"])
PRINTABLE = r"^[^\x00-\x1f]*$"  # PostgreSQL stores no NUL, and a reason is one line


def _identities(request: Request, space: CallerSpace, session: WriteSession) -> Identities:
    return Identities(kernel_of(request), session, space)


Records = Annotated[Identities, Depends(_identities)]


class IdentityIn(TraitsIn):
    external_id: str | None = Field(None, min_length=1, max_length=200, pattern=PRINTABLE)


class EvidenceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=20, description="ZFD-7: CN, PA, CS, LE, AN…; never a default")
    reason: str = Field("", max_length=500, pattern=PRINTABLE)


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500, pattern=PRINTABLE)


@router.post("", status_code=201)
async def create(
    body: IdentityIn,
    records: Records,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    """A provisional identity; 200 and the same record when the reference is known."""
    if body.external_id and idempotency_key and body.external_id != idempotency_key:
        raise DomainError(
            Category.INCORRECT,
            "two_references",
            "external_id et Idempotency-Key désignent deux références différentes.",
        )
    identity, created = await records.create(
        body.checked(), body.external_id or idempotency_key or None
    )
    response.status_code = 201 if created else 200
    return identity_view(identity)


@router.get("/{identity_id}")
async def read(identity_id: UUID, space: CallerSpace, session: ReadSession) -> dict[str, Any]:
    identity = await repository.get_identity(session, space.name, identity_id)
    if identity is None:
        raise unknown_identity()
    return identity_view(identity)


@router.get("/{identity_id}/history")
async def read_history(
    identity_id: UUID, space: CallerSpace, session: ReadSession
) -> list[dict[str, Any]]:
    steps = await repository.list_steps(session, space.name, identity_id)
    if not steps:  # every record has the step of its creation
        raise unknown_identity()
    return [history_view(step) for step in steps]


@router.post("/{identity_id}/search")
async def search(identity_id: UUID, records: Records) -> dict[str, Any]:
    """Asks INSi with the record's traits; 01 and 02 are answers too, and change nothing."""
    identity, result = await records.query_insi(identity_id)
    return {
        "result": {"code": result.code.code, "label": result.code.label},
        "identity": identity_view(identity),
    }


@router.post("/{identity_id}/evidence")
async def accept_evidence(identity_id: UUID, body: EvidenceIn, records: Records) -> dict[str, Any]:
    return identity_view(await records.accept_evidence(identity_id, body.code, body.reason))


@router.post("/{identity_id}/doubt")
async def doubt(identity_id: UUID, body: ReasonIn, records: Records) -> dict[str, Any]:
    """The identity is provisional again and its INS must not be used any longer."""
    return identity_view(
        await records.step(identity_id, lambda state: life.doubt(state, body.reason))
    )


@router.delete("/{identity_id}/doubt")
async def lift_doubt(identity_id: UUID, body: ReasonIn, records: Records) -> dict[str, Any]:
    return identity_view(
        await records.step(identity_id, lambda state: life.lift_doubt(state, body.reason))
    )


@router.post("/{identity_id}/homonym")
async def declare_homonym(identity_id: UUID, body: ReasonIn, records: Records) -> dict[str, Any]:
    return identity_view(
        await records.step(identity_id, lambda state: life.declare_homonym(state, body.reason))
    )


@router.post("/{identity_id}/fictive")
async def declare_fictive(identity_id: UUID, body: ReasonIn, records: Records) -> dict[str, Any]:
    return identity_view(
        await records.step(identity_id, lambda state: life.declare_fictive(state, body.reason))
    )
