"""/ins/identities: the records of the caller's patients."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ins import repository
from services.ins.api.views import TraitsIn, history_view, identity_view
from services.ins.domain.identity import LocalNames
from services.ins.service import Identities, unknown_identity
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.ids import identity_status as life
from socle.problems import Problem

router = APIRouter(prefix="/ins/identities", tags=["identities"])
PRINTABLE = r"^[^\x00-\x1f]*$"  # PostgreSQL stores no NUL, and a reason is one line


def _identities(request: Request, space: CallerSpace, session: WriteSession) -> Identities:
    return Identities(kernel_of(request), session, space)


Records = Annotated[Identities, Depends(_identities)]


class LocalNamesIn(BaseModel):
    """Refused where they break the rules that names of INSi obey."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    first_given_name: str = Field("", max_length=200, description="may be compound")
    used_family_name: str = Field("", max_length=200)
    used_given_name: str = Field("", max_length=200)

    def names(self) -> LocalNames:
        return LocalNames(self.first_given_name, self.used_family_name, self.used_given_name)


class IdentityIn(TraitsIn):
    external_id: str | None = Field(None, min_length=1, max_length=200, pattern=PRINTABLE)
    local_names: LocalNamesIn = LocalNamesIn()
    collected_by: Literal["SM", "CV", "CB", "RFID", "AV"] = "SM"
    birth_date_completed: bool = Field(False, description="EXI ID 11, 12: it bars the INS")

    def problems(self) -> list[Problem]:
        names = self.local_names.names()
        found = names.check(self.traits(), lambda name: f"/local_names/{name}")
        return [*super().problems(), *found]


class CorrectionIn(TraitsIn):
    birth_date_completed: bool = Field(False, description="EXI ID 11, 12: it bars the INS")
    reason: str = Field(min_length=1, max_length=500, pattern=PRINTABLE)


class EvidenceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=20, description="ZFD-7: CN, PA, CS, LE, AN…; never a default")
    expires: date | None = Field(None, description="of the document: ZFD-8")
    reason: str = Field("", max_length=500, pattern=PRINTABLE)


class MergeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    into: UUID = Field(description="the record that is kept")
    reason: str = Field(min_length=1, max_length=500, pattern=PRINTABLE)


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
        body.checked(),
        body.external_id or idempotency_key or None,
        names=body.local_names.names(),
        collected_by=body.collected_by,
        birth_date_corrected=body.birth_date_completed,
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
    expires = body.expires.isoformat() if body.expires else ""
    return identity_view(
        await records.accept_evidence(identity_id, body.code, body.reason, expires)
    )


@router.put("/{identity_id}/traits")
async def correct(identity_id: UUID, body: CorrectionIn, records: Records) -> dict[str, Any]:
    """By hand: the identity is provisional again, and to be retrieved and checked anew."""
    corrected = await records.correct(
        identity_id, body.checked(), body.reason, birth_date_corrected=body.birth_date_completed
    )
    return identity_view(corrected)


@router.post("/{identity_id}/verify")
async def verify(identity_id: UUID, records: Records, professional: Professional) -> dict[str, Any]:
    """Asks INSi whether the INS still goes with the traits; KO takes it from the record."""
    identity, verdict = await records.verify(identity_id, professional.national_id)
    return {"result": verdict.code, "identity": identity_view(identity)}


@router.post("/{identity_id}/merge")
async def merge(identity_id: UUID, body: MergeIn, records: Records) -> dict[str, Any]:
    """The record that is kept; this one is a duplicate and moves no more."""
    return identity_view(await records.merge(identity_id, body.into, body.reason))


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
