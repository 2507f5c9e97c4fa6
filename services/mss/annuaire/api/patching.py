"""PATCH of mailboxes, by id or by business identifier (API MSS guide; spec: mss.md §2)."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.mss.annuaire import repository, writing
from services.mss.annuaire.api.access import Caller, CurrentCaller, require_write
from services.mss.annuaire.api.fhir import PREFIX
from services.mss.annuaire.conditions import conditions_of
from services.mss.annuaire.domain import refusals, systems
from services.mss.annuaire.domain.patch import Operation, read_operations
from services.mss.annuaire.domain.query import Search, read_search
from socle.db.sessions import WriteSession
from socle.fhir.messages import FHIR_TYPES, fhir_response, media_type, parse_json
from socle.problems import Problem

router = APIRouter(prefix=PREFIX, tags=["API MSS"])
NOT_FHIRPATH = (
    "the body is a Parameters in application/fhir+json: FHIRPath Patch is the only form offered"
)


@router.patch("/{kind}/{resource_id}", response_class=Response)
async def patch(
    kind: str, resource_id: str, request: Request, caller: CurrentCaller, session: WriteSession
) -> Response:
    _admit(kind, resource_id, request, caller)
    operations = await _operations(request)
    return await _patch(session, caller, kind, resource_id, operations)


@router.patch("/{kind}", response_class=Response)
async def patch_by_identifier(
    kind: str, request: Request, caller: CurrentCaller, session: WriteSession
) -> Response:
    """404 where nothing has the identifier, 412 where several have."""
    _admit(kind, "", request, caller)
    parameters = request.query_params.multi_items()
    wanted = read_search(Search(caller.space.name, kind, caller.space.now()), parameters)
    if wanted.problems:
        raise refusals.refused(wanted.problems)
    url = f"{kind}?{request.url.query}"
    if not wanted.criteria:
        raise refusals.refused([_problem("a conditional patch names an identifier")])
    operations = await _operations(request)
    conditions = await conditions_of(session, wanted, restricted=True)
    found = await repository.find_page(session, conditions, "", 2)
    if not found:
        raise refusals.no_match(url)
    if len(found) > 1:
        raise refusals.several_matches(url, await repository.count(session, conditions, 1000))
    return await _patch(session, caller, kind, found[0].id, operations)


def _admit(kind: str, resource_id: str, request: Request, caller: Caller) -> None:
    if kind not in systems.KINDS:
        raise refusals.unknown_type(kind)
    if kind not in systems.HOLDERS or caller.as_in_production:
        path = f"{kind}/{resource_id}".rstrip("/")
        raise refusals.unknown_operation("PATCH", path, request.query_params.keys())
    require_write(caller)


async def _operations(request: Request) -> list[Operation]:
    if media_type(request.headers.get("content-type", "")) not in FHIR_TYPES:
        raise refusals.refused([_problem(NOT_FHIRPATH)])
    body: Any = await asyncio.to_thread(parse_json, await request.body())
    operations, problems = read_operations(body)
    if problems:
        raise refusals.refused(problems)
    return operations


async def _patch(
    session: WriteSession, caller: Caller, kind: str, id_: str, operations: list[Operation]
) -> Response:
    if "\0" in id_:
        raise refusals.unknown_resource(kind, id_)
    resource, version = await writing.patch(session, caller.space, kind, id_, operations)
    return fhir_response(resource, ETag=f'W/"{version}"')


def _problem(message: str) -> Problem:
    return Problem("FHIR-PATCH", "", message, source=refusals.PATCH)
