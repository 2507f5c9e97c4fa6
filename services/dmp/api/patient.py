"""/_sandbox/dmp/patient: the patient of Mon espace santé, played by whoever tests (mes.md §A.6).

The application's own interface is internal to the CNAM and not reproduced: these are ours, with its
objects, limits and rules.
"""

import base64
import binascii
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from services.dmp.api.records import PatientIn, view
from services.dmp.domain.patient_view import (
    CHANGEABLE,
    MAX_DELETED_AT_ONCE,
    MAX_UPLOAD_BYTES,
    MEDIA_TYPES,
    PATIENT_TYPES,
)
from services.dmp.hot.registrar import Registrar
from services.dmp.patient_side import PAGE, PatientSide, Shown, Upload
from services.dmp.records import Records
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.spaces import Space

router = APIRouter(prefix="/_sandbox/dmp/patient", tags=["patient"], dependencies=[sandbox_only])
_TEXT = r"^[^\x00-\x1f]+$"
Professional = Annotated[str, Field(min_length=1, max_length=64, pattern=_TEXT)]


class ViewIn(PatientIn):
    representative: bool = Field(False, description="as the legal representative of a minor")


class DocumentIn(ViewIn):
    id: UUID


class VisibilityIn(PatientIn):
    id: UUID
    codes: list[str] = Field(max_length=3, description=", ".join(sorted(CHANGEABLE)))


class UploadIn(PatientIn):
    type: str = Field(description="DOCPAT01 to DOCPAT09, EXPPAT_1 to EXPPAT_3 (TRE_A05)")
    title: str = Field(min_length=1, max_length=128, pattern=_TEXT)
    mime: str
    data: str = Field(description="base64")
    codes: list[str] = Field([], max_length=3)


class DeletionIn(PatientIn):
    ids: list[UUID] = Field(min_length=1, max_length=MAX_DELETED_AT_ONCE)


class HistoryIn(PatientIn):
    before: UUID | None = Field(None, description="the last id of the page before")


class BlockIn(PatientIn):
    professional: Professional
    blocked: bool = True


class ConsentsIn(PatientIn):
    """What is left out stays."""

    ETREAT: Literal["permit", "deny"] | None = None
    BTG: Literal["permit", "deny"] | None = None
    MASKED: Literal["permit", "deny"] | None = None


@router.post("/documents")
async def documents(request: Request, body: ViewIn, space: RequestSpace) -> list[dict[str, Any]]:
    """What the patient sees, with what they may do with each."""
    side = _side(request, space, body)
    return [_document(one) for one in await side.documents(as_representative=body.representative)]


@router.post("/documents/read")
async def read(request: Request, body: DocumentIn, space: RequestSpace) -> dict[str, Any]:
    side = _side(request, space, body)
    shown, content = await side.read(body.id, as_representative=body.representative)
    return {**_document(shown), "data": base64.b64encode(content).decode()}


@router.post("/documents/visibility")
async def set_visibility(
    request: Request, body: VisibilityIn, space: RequestSpace
) -> list[dict[str, Any]]:
    """Masks for professionals, or hides from the representatives of a minor; N takes both back."""
    _require_codes(body.codes)
    side = _side(request, space, body)
    await side.set_visibility(body.id, body.codes)
    return [_document(one) for one in await side.documents(as_representative=False)]


@router.post("/documents/add", status_code=201)
async def add(request: Request, body: UploadIn, space: RequestSpace) -> dict[str, Any]:
    """A file of at most 5,000,000 bytes, as a document that the patient wrote."""
    if body.type not in PATIENT_TYPES or body.mime not in MEDIA_TYPES:
        raise DomainError(
            Category.INCORRECT,
            "upload_kind",
            f"type is one of {', '.join(sorted(PATIENT_TYPES))}; mime one of {', '.join(MEDIA_TYPES)}.",
        )
    _require_codes(body.codes)
    try:
        content = base64.b64decode(body.data, validate=True)
    except (binascii.Error, ValueError):
        raise DomainError(Category.INCORRECT, "upload_data", "data is no base64.") from None
    if not 0 < len(content) <= MAX_UPLOAD_BYTES:
        raise DomainError(
            Category.TOO_LARGE if content else Category.INCORRECT,
            "MSG_FILE_SIZE_EXCEEDED_ERROR" if content else "upload_data",
            f"The file has {len(content)} bytes; 1 to {MAX_UPLOAD_BYTES} are taken.",
        )
    side = _side(request, space, body)
    upload = Upload(body.type, body.title, body.mime, content, tuple(body.codes))
    registrar = cast(Registrar, request.app.state.registrar)
    return {"id": str(await side.add(registrar, upload))}


@router.post("/documents/delete", status_code=204)
async def delete(request: Request, body: DeletionIn, space: RequestSpace) -> None:
    """Only what the patient added; ten at once."""
    await _side(request, space, body).delete(body.ids)


@router.post("/history")
async def history(request: Request, body: HistoryIn, space: RequestSpace) -> dict[str, Any]:
    """Who read what and when, and what the patient decided; the newest first."""
    found = await _side(request, space, body).history(body.before)
    traces = [
        {
            name: getattr(one, name)
            for name in ("id", "at", "actor", "action", "purpose", "document")
        }
        for one in found
    ]
    return {"traces": traces, "next": str(found[-1].id) if len(found) == PAGE else None}


@router.post("/blocked", status_code=204)
async def block(request: Request, body: BlockIn, space: RequestSpace) -> None:
    await _side(request, space, body).block(body.professional, blocked=body.blocked)


@router.post("/consents")
async def consent(request: Request, body: ConsentsIn, space: RequestSpace) -> dict[str, Any]:
    """The three consents to reading in an emergency."""
    permits = {
        name: None if value is None else value == "permit"
        for name, value in (
            ("emergency", body.ETREAT),
            ("break_glass", body.BTG),
            ("masked", body.MASKED),
        )
    }
    return view(await _side(request, space, body).consent(**permits))


@router.post("/close")
async def close(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    return view(await _side(request, space, body).close())


@router.post("/reopen")
async def reopen(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    return view(await _side(request, space, body).reopen())


def _side(request: Request, space: Space, body: PatientIn) -> PatientSide:
    registrar = cast(Registrar, request.app.state.registrar)
    return PatientSide(Records(kernel_of(request), space, registrar.ins), body.ins())


def _require_codes(codes: list[str]) -> None:
    if not set(codes) <= CHANGEABLE:
        raise DomainError(
            Category.INCORRECT,
            "visibility_code",
            f"A patient decides {', '.join(sorted(CHANGEABLE))}.",
        )


def _document(shown: Shown) -> dict[str, Any]:
    stored = shown.stored
    return {
        "id": str(stored.logical_id),
        "title": shown.title,
        "type": stored.metadata.get("xds", {}).get("type_code", {}).get("code", ""),
        "created_at": stored.created_at,
        "archived": stored.status == "Archived",
        "confidentiality": shown.codes,
        "mime": stored.metadata.get("mime", ""),
        "size": stored.metadata.get("size", 0),
        "canOwnerDelete": shown.rights.can_owner_delete,
        "canUpdateConfidentialityOnly": shown.rights.can_update_confidentiality_only,
    }
