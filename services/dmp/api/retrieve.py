"""ITI-68, Retrieve Document: the bytes as they were deposited."""

import base64

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.api.fhir_base import get_entry, reader_of
from socle.auth.dependencies import CallerSpace, Professional
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.fhir.messages import fhir_response, media_type

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])
_AS_BINARY = frozenset({"application/fhir+json", "application/json"})
_XML = frozenset({"text/xml", "application/xml"})
_ANY = frozenset({"", "*/*", "text/*", "application/*"})


@router.get("/Binary/{resource_id}", response_class=Response)
async def retrieve(
    resource_id: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    """Native bytes; a Binary resource if only FHIR is accepted; 406 otherwise; 410 once deleted."""
    entry = await get_entry(session, space, resource_id, reader_of(request, caller))
    if entry.status == "Deleted":
        raise DomainError(Category.GONE, "document_deleted", "This document was deleted (TD3.3c).")
    content = await repository.get_content(session, space.name, entry.id)
    mime = entry.metadata["mime"]
    accepted = [media_type(item) for item in request.headers.get("accept", "").split(",")]
    etag = f'W/"{entry.version}"'
    for wanted in accepted:
        if wanted in _ANY or wanted in _XML:
            return Response(content, headers={"ETag": etag}, media_type=mime)
        if wanted in _AS_BINARY:
            binary = {
                "resourceType": "Binary",
                "id": str(entry.logical_id),
                "contentType": mime,
                "data": base64.b64encode(content).decode(),
            }
            return fhir_response(binary, ETag=etag)
    raise DomainError(
        Category.INCORRECT,
        "not_acceptable",
        f"The document is {mime}; accept that, */*, or application/fhir+json for a Binary.",
        status=406,
    )
