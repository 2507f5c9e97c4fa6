"""PATCH of a DocumentReference, by id or by a search: TD3.3 by FHIR (PDSm flow 03)."""

from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.api.fhir_base import (
    base_url,
    get_entry,
    pseudonymiser,
    reader_of,
)
from services.dmp.api.preferences import written
from services.dmp.domain.visibility import Reader
from services.dmp.fhir.resources import document_reference
from services.dmp.fhir.search import read_search
from services.dmp.patches import PatchBody, patch_document
from services.dmp.settings import DmpSettings
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.auth.subject import Subject
from socle.errors import Category, DomainError
from socle.fhir.messages import media_type, parse_json
from socle.spaces import Space

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])
JSON_PATCH = "application/json-patch+json"
_FHIR = ("application/fhir+json", "application/json")


@router.patch("/DocumentReference/{resource_id}", response_class=Response)
async def patch(
    resource_id: str, request: Request, caller: Professional, space: CallerSpace
) -> Response:
    async with kernel_of(request).database.read() as session:
        entry = await get_entry(session, space, resource_id, reader_of(request, caller))
    return await _patch(request, caller, space, str(entry.logical_id))


@router.patch("/DocumentReference", response_class=Response)
async def patch_found(request: Request, caller: Professional, space: CallerSpace) -> Response:
    """Conditional: the search must find one document (FHIR R4 §3.1.0.7.1)."""
    name = await _find_one(request, reader_of(request, caller), space)
    return await _patch(request, caller, space, name)


async def _patch(request: Request, caller: Subject, space: Space, name: str) -> Response:
    body = await _body(request)
    kernel, base = kernel_of(request), base_url(request)
    settings = cast(DmpSettings, kernel.settings)
    entry = await patch_document(
        kernel,
        space,
        reader_of(request, caller),
        name,
        body,
        if_match=request.headers.get("if-match"),
        superseded_deletes=settings.dmp_fhir_delete_status == "superseded",
    )
    resource = document_reference(entry, base)
    return written(request, resource, headers={"ETag": f'W/"{entry.revision}"'})


async def _body(request: Request) -> PatchBody:
    kind = media_type(request.headers.get("content-type", ""))
    if kind != JSON_PATCH and kind not in _FHIR:
        raise DomainError(
            Category.INCORRECT,
            "media_type",
            f"Content-Type is {kind[:60] or 'absent'}; send {JSON_PATCH}, or a Parameters resource of "
            "FHIRPath Patch as application/fhir+json. XML Patch is not supported.",
            status=415,
        )
    value: Any = parse_json(await request.body())
    return PatchBody(value, is_json_patch=kind == JSON_PATCH)


async def _find_one(request: Request, reader: Reader, space: Space) -> str:
    kernel = kernel_of(request)
    parameters = request.query_params.multi_items()
    wanted = read_search(parameters, pseudonymiser(request, space))
    if wanted.problems or wanted.ignored:
        raise DomainError(
            Category.INCORRECT,
            "search_parameters",
            "A conditional PATCH needs a search whose every parameter is known, such as "
            "identifier=urn:oid:….",
            problems=wanted.problems,
        )
    async with kernel.database.read() as session:
        found = await repository.search_entries(session, space.name, reader, wanted.query, 2)
    if len(found) > 1:
        raise DomainError(
            Category.CONFLICT,
            "multiple_matches",
            "The search of this conditional PATCH finds more than one document.",
            status=412,
        )
    if not found:
        # Not by what was searched for: that may be an INS.
        raise DomainError(
            Category.NOT_FOUND,
            "document_unknown",
            "The search of this conditional PATCH finds nothing.",
        )
    return str(found[0].logical_id)
