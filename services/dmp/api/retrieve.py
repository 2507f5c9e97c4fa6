"""ITI-68, Retrieve Document: the bytes as they were deposited."""

import base64
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.api.fhir_base import get_entry, reader_of, require_version
from services.dmp.repository import StoredEntry
from services.dmp.traces import trace_readings
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.auth.subject import Subject
from socle.errors import Category, DomainError
from socle.fhir.messages import accepted_types, fhir_response, media_type
from socle.http.context import state_of
from socle.http.render import FHIR_JSON
from socle.spaces import Space

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])
_AS_BINARY = frozenset({"application/fhir+json", "application/json"})
_XML = frozenset({"text/xml", "application/xml"})
_JSON_FORMATS = _AS_BINARY | {"json"}
"""Of `_format`, which comes before Accept (FHIR R4 §3.1.0.1.9); XML is turned at the edge."""
_ANY = frozenset({"", "*/*", "text/*", "application/*"})


@router.get("/Binary/{resource_id}", response_class=Response)
async def retrieve(
    resource_id: str, request: Request, caller: Professional, space: CallerSpace
) -> Response:
    """Native bytes; a Binary resource if only FHIR is accepted; 406 otherwise; 410 once deleted."""
    return await _retrieve(resource_id, None, request, caller, space)


@router.get("/Binary/{resource_id}/_history/{version}", response_class=Response)
async def retrieve_version(
    resource_id: str, version: str, request: Request, caller: Professional, space: CallerSpace
) -> Response:
    return await _retrieve(resource_id, version, request, caller, space)


async def _retrieve(
    resource_id: str, version: str | None, request: Request, caller: Subject, space: Space
) -> Response:
    kernel, reader = kernel_of(request), replace(reader_of(request, caller), opens=True)
    async with kernel.database.read() as session:
        entry = await get_entry(session, space, resource_id, reader)
        if entry.status == "Deleted":
            raise DomainError(
                Category.GONE, "document_deleted", "This document was deleted (TD3.3c)."
            )
        content = await repository.get_content(session, space.name, entry.id)
    answer = _answer(request, entry, content)
    if version is not None:
        require_version(answer, version)
    if not state_of(request.scope).get("is_head"):  # which reads nothing
        await trace_readings(kernel, space, reader, [entry], "fhir")
    return answer


def _answer(request: Request, entry: StoredEntry, content: bytes) -> Response:
    mime = entry.metadata["mime"]
    asked = media_type(request.query_params.get("_format", "").replace(" ", "+"))
    accept = FHIR_JSON if asked in _JSON_FORMATS else request.headers.get("accept", "")
    accepted = accepted_types(accept)
    etag = f'W/"{entry.version}"'
    for wanted in accepted:
        if wanted in _ANY or wanted == mime or (wanted in _XML and mime in _XML):
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
