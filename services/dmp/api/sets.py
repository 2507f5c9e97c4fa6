"""ITI-66, Find Document Lists: the submission sets of a patient."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import repository
from services.dmp.api.fhir_base import (
    admit_reader,
    base_url,
    pseudonymiser,
    reader_of,
    require_searchable,
)
from services.dmp.api.preferences import policy_of
from services.dmp.conditions import uuids_of
from services.dmp.domain.visibility import Reader
from services.dmp.fhir.set_search import SetSearch, read_set_search
from services.dmp.fhir.sets import submission_list
from services.dmp.repository import StoredEntry, StoredSet
from services.dmp.stored import set_of
from socle.auth.dependencies import CallerSpace, Professional
from socle.auth.subject import Subject
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response
from socle.fhir.search import applied, page_links, posted_parameters
from socle.spaces import Space

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])


@router.get("/List", response_class=Response)
async def search(
    request: Request, caller: Professional, space: CallerSpace, session: ReadSession
) -> Response:
    parameters = request.query_params.multi_items()
    return await _search(request, caller, space, session, parameters)


@router.post("/List/_search", response_class=Response)
async def search_by_post(
    request: Request, caller: Professional, space: CallerSpace, session: ReadSession
) -> Response:
    return await _search(request, caller, space, session, await posted_parameters(request))


@router.get("/List/{resource_id}", response_class=Response)
async def read(
    resource_id: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    found: list[StoredSet] = []
    for set_id in uuids_of([resource_id]):
        found = await repository.find_sets(session, space.name, ids=[set_id])
    if not found:
        raise DomainError(
            Category.NOT_FOUND,
            "list_unknown",
            f"No submission set {resource_id[:64]} in this space; search List by patient.identifier.",
        )
    members = await _members(session, space, reader_of(request, caller), found)
    resource = submission_list(found[0], members.get(found[0].id, []))
    return fhir_response(resource, ETag='W/"1"')


async def _search(
    request: Request,
    caller: Subject,
    space: Space,
    session: ReadSession,
    parameters: list[tuple[str, str]],
) -> Response:
    despite_key = policy_of(request).is_lenient
    wanted = read_set_search(parameters, pseudonymiser(request, space), despite_key=despite_key)
    require_searchable(wanted.problems)
    reader = reader_of(request, caller)
    await admit_reader(request, session, space, reader, wanted.patient)
    matching = await _matching(session, space, wanted)
    rest = [one for one in matching if wanted.after is None or one.id < wanted.after]
    page = rest[: wanted.count]
    members = await _members(session, space, reader, page)
    base = base_url(request)
    cursor = str(page[-1].id) if len(rest) > len(page) else None
    links = page_links(base, "List", applied(parameters, wanted.ignored), cursor)
    resources = [submission_list(one, members.get(one.id, [])) for one in page]
    return fhir_response(searchset(resources, base, len(matching), links))


async def _matching(session: ReadSession, space: Space, wanted: SetSearch) -> list[StoredSet]:
    """The newest first. The sets of one patient are few enough to be looked at one by one."""
    found = await repository.find_sets(
        session,
        space.name,
        patient=wanted.patient,
        ids=uuids_of(wanted.names),
        unique_ids=wanted.names,
    )
    if wanted.patient is not None and wanted.names:
        found = [
            one
            for one in found
            if {str(one.id), set_of(one).unique_id} & set(map(str.lower, wanted.names))
        ]
    return [one for one in found if all(holds(set_of(one)) for holds in wanted.criteria)]


async def _members(
    session: ReadSession, space: Space, reader: Reader, sets: list[StoredSet]
) -> dict[UUID, list[StoredEntry]]:
    members: dict[UUID, list[StoredEntry]] = {}
    ids = [one.id for one in sets]
    for one in await repository.find_members(session, space.name, ids, reader):
        members.setdefault(one.submission_set, []).append(one)
    return members
