"""/usage/{structures,professionals}/…/dossiers/{programme}/pieces: evidence files, raw or multipart."""

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.datastructures import UploadFile

from services.usage import pieces as use_cases
from services.usage.api.declaring import Declaring
from services.usage.api.payments import Options, Whose, options_of
from services.usage.api.rules import Slug
from services.usage.domain.pieces import KINDS, disposition
from services.usage.pieces import Piece, Upload
from services.usage.reports.build import build
from services.usage.reports.writers import as_pdf
from services.usage.settings import UsageSettings
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError, too_large
from socle.idgen import uuid7

router = APIRouter(prefix="/usage/{kind}/{number}/dossiers/{programme}/pieces", tags=["pieces"])

Reference = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Label = Annotated[str, Query(max_length=200, description="of a raw body; a label, never a path")]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            **{kind.media_type: _BINARY for kind in KINDS},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.get("")
async def list_pieces(
    of: Whose, programme: Slug, space: CallerSpace, session: ReadSession
) -> list[dict[str, Any]]:
    return [_piece(it) for it in await use_cases.list_pieces(session, space, programme, of)]


@router.post("", status_code=201, openapi_extra=_BODIES)
async def add_piece(
    of: Whose,
    programme: Slug,
    request: Request,
    response: Response,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
    name: Label = "",
) -> dict[str, Any]:
    """Under a reference that the service gives; each call keeps another piece."""
    await declaring.check_for(of)
    upload = await _upload(request, name)
    reference = f"p-{uuid7()}"
    found, _ = await use_cases.store(session, space, programme, of, reference, upload)
    path = request.url.path.rstrip("/")
    response.headers["Location"] = f"{request.state.space_prefix}{path}/{reference}"
    return _piece(found)


@router.put("/{reference}", openapi_extra=_BODIES)
async def put_piece(
    of: Whose,
    programme: Slug,
    reference: Reference,
    request: Request,
    response: Response,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
    name: Label = "",
) -> dict[str, Any]:
    """Under a reference of one's own, which the dossier names in `evidence_ref`; 409 once submitted."""
    await declaring.check_for(of)
    upload = await _upload(request, name or reference)
    found, is_new = await use_cases.store(session, space, programme, of, reference, upload)
    response.status_code = 201 if is_new else 200
    return _piece(found)


@router.post("/submission")
async def submit_pieces(
    of: Whose, programme: Slug, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> list[dict[str, Any]]:
    """From now on none of the pieces that are there changes or goes."""
    await declaring.check_for(of)
    return [_piece(it) for it in await use_cases.submit(session, space, programme, of)]


@router.post("/report", status_code=201)
async def keep_report(
    of: Whose,
    programme: Slug,
    response: Response,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
    reference: Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")] = "rapport",
    window: str | None = None,
    option: Options = [],  # noqa: B006 (FastAPI copies defaults)
) -> dict[str, Any]:
    """The service's own report as it is now, in PDF, as a piece of the dossier."""
    await declaring.check_for(of)
    report = await build(
        session, space, programme, of, window, options_of(option),
        euros=True, allow_unverified=True,
    )  # fmt: skip
    content = await asyncio.to_thread(as_pdf, report)
    name = f"{programme}-{of.number}.pdf"
    upload = await use_cases.checked(content, "application/pdf", name, len(content))
    found, is_new = await use_cases.store(session, space, programme, of, reference, upload)
    response.status_code = 201 if is_new else 200
    return _piece(found)


@router.get("/{reference}", response_class=Response)
async def read_piece(
    of: Whose, programme: Slug, reference: Reference, space: CallerSpace, session: ReadSession
) -> Response:
    """To be saved, never shown: whatever it holds runs nowhere."""
    found, content = await use_cases.read(session, space, programme, of, reference)
    return Response(
        content,
        media_type=found.media_type,
        headers={
            "Content-Disposition": disposition(found.name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
            "ETag": f'"{found.sha256}"',
        },
    )


@router.delete("/{reference}", status_code=204)
async def delete_piece(
    of: Whose,
    programme: Slug,
    reference: Reference,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
) -> Response:
    await declaring.check_for(of)
    await use_cases.delete(session, space, programme, of, reference)
    return Response(status_code=204)


async def _upload(request: Request, name: str) -> Upload:
    limit = cast(UsageSettings, kernel_of(request).settings).usage_max_piece_bytes
    announced = request.headers.get("content-type", "")
    if not announced.lower().startswith("multipart/form-data"):
        return await use_cases.checked(await request.body(), announced, name, limit)
    async with request.form(max_files=1, max_fields=20) as form:
        files = [it for _, it in form.multi_items() if isinstance(it, UploadFile)]
        if len(files) != 1:
            raise DomainError(
                Category.INCORRECT, "piece_refusee", "Send one file, in a part named file."
            )
        if files[0].size is not None and files[0].size > limit:
            raise too_large(limit)
        content = await files[0].read()
        return await use_cases.checked(
            content, files[0].content_type or "", files[0].filename or name, limit
        )


def _piece(it: Piece) -> dict[str, Any]:
    return {
        "reference": it.reference,
        "name": it.name,
        "media_type": it.media_type,
        "size": it.size,
        "sha256": it.sha256,
        "stored_at": it.stored_at,
        "submitted_at": it.submitted_at,
    }
