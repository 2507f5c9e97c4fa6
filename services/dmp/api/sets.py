"""ITI-66, Find Document Lists: the submission sets and the folders of a patient."""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import folder_repository, repository
from services.dmp.api.fhir_base import (
    admit_reader,
    base_url,
    pseudonymiser,
    reader_of,
    require_searchable,
    require_version,
    unused,
)
from services.dmp.api.preferences import policy_of
from services.dmp.conditions import uuids_of
from services.dmp.domain.visibility import Reader
from services.dmp.fhir.folders import folder_list
from services.dmp.fhir.set_search import (
    Listed,
    SetSearch,
    listed_folder,
    listed_set,
    read_set_search,
)
from services.dmp.fhir.sets import submission_list
from services.dmp.folder_repository import StoredFolder
from services.dmp.repository import StoredEntry, StoredSet
from services.dmp.stored import set_of
from socle.auth.dependencies import CallerSpace, Professional
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response
from socle.fhir.search import SearchParameters, applied, page_links
from socle.spaces import Space

_Stored: TypeAlias = StoredSet | StoredFolder

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])


@router.get("/List/{resource_id}", response_class=Response)
async def read(
    resource_id: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    reader, ids = reader_of(request, caller), uuids_of([resource_id])
    found = await _load(session, space, reader, ids=ids) if ids else []
    if not found:
        raise DomainError(
            Category.NOT_FOUND,
            "list_unknown",
            f"No submission set or folder {resource_id[:64]} in this space; "
            "search List by patient.identifier.",
        )
    [resource] = await _written(session, space, reader, found)
    return fhir_response(resource, ETag=f'W/"{resource["meta"]["versionId"]}"')


@router.get("/List/{resource_id}/_history/{version}", response_class=Response)
async def read_version(
    resource_id: str,
    version: str,
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
) -> Response:
    return require_version(await read(resource_id, request, caller, space, session), version)


@router.get("/List", response_class=Response)
@router.post("/List/_search", response_class=Response)
async def search(
    request: Request,
    caller: Professional,
    space: CallerSpace,
    session: ReadSession,
    parameters: SearchParameters,
) -> Response:
    despite_key = policy_of(request).is_lenient
    wanted = read_set_search(parameters, pseudonymiser(request, space), despite_key=despite_key)
    require_searchable([*wanted.problems, *unused(request, wanted.ignored)])
    reader = reader_of(request, caller)
    await admit_reader(request, session, space, reader, wanted.patient)
    matching = await _matching(session, space, reader, wanted)
    rest = [one for one in matching if wanted.after is None or one.id < wanted.after]
    page = [] if wanted.only_count else rest[: wanted.count]
    base = base_url(request)
    cursor = str(page[-1].id) if page and len(rest) > len(page) else None
    links = page_links(base, "List", applied(parameters, wanted.ignored), cursor)
    resources = await _written(session, space, reader, page)
    return fhir_response(searchset(resources, base, len(matching), links))


async def _matching(
    session: ReadSession, space: Space, reader: Reader, wanted: SetSearch
) -> list[_Stored]:
    """The newest first. The Lists of one patient are few enough to be looked at one by one."""
    found = await _load(
        session,
        space,
        reader,
        patient=wanted.patient,
        ids=uuids_of(wanted.names),
        unique_ids=wanted.names,
    )
    if wanted.patient is not None and wanted.names:
        names = set(map(str.lower, wanted.names))
        found = [one for one in found if {str(one.id), _listed(one).unique_id} & names]
    return [one for one in found if all(holds(_listed(one)) for holds in wanted.criteria)]


async def _load(
    session: ReadSession,
    space: Space,
    reader: Reader,
    *,
    patient: str | None = None,
    ids: Sequence[UUID] = (),
    unique_ids: Sequence[str] = (),
) -> list[_Stored]:
    sets = await repository.find_sets(
        session, space.name, reader, patient=patient, ids=ids, unique_ids=unique_ids
    )
    folders = await folder_repository.find_folders(
        session, space.name, reader, patient=patient, ids=ids, unique_ids=unique_ids
    )
    return sorted([*sets, *folders], key=lambda one: one.id, reverse=True)


def _listed(stored: _Stored) -> Listed:
    return listed_folder(stored) if isinstance(stored, StoredFolder) else listed_set(set_of(stored))


async def _written(
    session: ReadSession, space: Space, reader: Reader, page: Sequence[_Stored]
) -> list[dict[str, Any]]:
    """With the documents that the reader is shown."""
    ids = [one.id for one in page]
    members: dict[UUID, list[StoredEntry]] = {one: [] for one in ids}
    for entry in await repository.find_members(session, space.name, ids, reader):
        members[entry.submission_set].append(entry)
    for one in await folder_repository.find_filed(session, space.name, reader, ids):
        members[one.folder].append(one.document)
    return [
        folder_list(one, members[one.id])
        if isinstance(one, StoredFolder)
        else submission_list(one, members[one.id])
        for one in page
    ]
