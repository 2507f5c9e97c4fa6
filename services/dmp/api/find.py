"""ITI-67, Find Document References: search and read, by GET and by POST _search."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.api.fhir_base import (
    admit_reader,
    base_url,
    get_entry,
    pseudonymiser,
    reader_of,
    require_searchable,
    require_version,
    unused,
)
from services.dmp.api.preferences import policy_of
from services.dmp.fhir.resources import document_reference
from services.dmp.fhir.search import cursor, read_search
from socle.auth.dependencies import CallerSpace, Professional
from socle.db.sessions import ReadSession
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response
from socle.fhir.search import SearchParameters, applied, page_links

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])


@router.get("/DocumentReference/{resource_id}", response_class=Response)
async def read(
    resource_id: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    entry = await get_entry(session, space, resource_id, reader_of(request, caller))
    resource = document_reference(entry, base_url(request))
    return fhir_response(resource, ETag=f'W/"{entry.revision}"')


@router.get("/DocumentReference/{resource_id}/_history/{version}", response_class=Response)
async def read_version(
    resource_id: str,
    version: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    return require_version(await read(resource_id, request, caller, space, session), version)


@router.get("/DocumentReference", response_class=Response)
@router.post("/DocumentReference/_search", response_class=Response)
async def search(
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
    parameters: SearchParameters,
) -> Response:
    despite_key = policy_of(request).is_lenient
    wanted = read_search(parameters, pseudonymiser(request, space), despite_key=despite_key)
    require_searchable([*wanted.problems, *unused(request, wanted.ignored)])
    reader, name = reader_of(request, caller), space.name
    await admit_reader(request, session, space, reader, wanted.query.patient)
    entries = (
        []
        if wanted.only_count
        else await repository.search_entries(session, name, reader, wanted.query, wanted.count + 1)
    )
    whole = replace(wanted.query, after=None)  # Bundle.total is of the search, not of the rest
    total = await repository.count_entries(session, name, reader, whole)
    page, more = entries[: wanted.count], len(entries) > wanted.count
    base = base_url(request)
    rest = cursor(getattr(page[-1], wanted.query.order.by), page[-1].id) if more else None
    links = page_links(base, "DocumentReference", applied(parameters, wanted.ignored), rest)
    resources = [document_reference(entry, base) for entry in page]
    return fhir_response(searchset(resources, base, total, links))
