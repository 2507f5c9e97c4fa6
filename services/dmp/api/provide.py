"""ITI-65, Provide Document Bundle, and ITI-105, Simplified Publish."""

from collections.abc import Callable
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import service
from services.dmp.api.fhir_base import base_url, get_entry
from services.dmp.api.preferences import policy_of, written
from services.dmp.fhir.bundle import ProvideBundle, read_bundle
from services.dmp.fhir.resources import created, document_reference
from services.dmp.fhir.simplified import read_simplified
from services.dmp.hot.registrar import Registrar
from services.dmp.repository import EVERYTHING
from services.dmp.service import Accepted
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.auth.subject import Subject
from socle.errors import Category, DomainError
from socle.fhir.messages import fhir_response, parse_json, require_fhir_json
from socle.http.render import operation_outcome
from socle.problems import Problem
from socle.spaces import Space

router = APIRouter(tags=["FHIR"])


@router.post("/dmp/fhir", response_class=Response)
@router.post("/dmp/fhir/", response_class=Response, include_in_schema=False)
async def provide_document_bundle(
    request: Request, professional: Professional, space: CallerSpace
) -> Response:
    """A transaction bundle; 200 with a transaction-response once everything is durable."""
    accepted = await _provide(request, professional, space, read_bundle)
    return fhir_response(_transaction_response(accepted))


@router.post("/dmp/fhir/DocumentReference", response_class=Response, status_code=201)
async def publish(request: Request, professional: Professional, space: CallerSpace) -> Response:
    """ITI-105, Simplified Publish: one DocumentReference that holds its document."""
    accepted = await _provide(request, professional, space, read_simplified)
    async with kernel_of(request).database.read() as session:
        entry = await get_entry(session, space, str(accepted.documents[0].id), EVERYTHING)
    base = base_url(request)
    location = f"{base}/DocumentReference/{entry.logical_id}/_history/{entry.revision}"
    warnings = accepted.warnings[0]
    return written(
        request,
        document_reference(entry, base),
        _warnings(warnings) if warnings else None,
        status=201,
        headers={"Location": location, "ETag": f'W/"{entry.revision}"'},
    )


async def _provide(
    request: Request,
    professional: Subject,
    space: Space,
    read: Callable[[Any], ProvideBundle],
) -> Accepted:
    require_fhir_json(request)
    return await service.provide(
        kernel_of(request),
        cast(Registrar, request.app.state.registrar),
        professional,
        space,
        policy_of(request),
        read(parse_json(await request.body())),
    )


def _transaction_response(accepted: Accepted) -> dict[str, Any]:
    """One entry a request entry, in the same order (FHIR R4 §3.1.0.11.2)."""
    references = {
        document.reference.index: position
        for position, document in enumerate(accepted.bundle.documents)
    }
    binaries = {
        document.binary.index: position
        for position, document in enumerate(accepted.bundle.documents)
        if document.binary is not None
    }
    first = accepted.documents[0]
    entries = []
    for index in range(len(accepted.bundle.order)):
        if index in references:
            position = references[index]
            registered = accepted.documents[position]
            response = created(
                "DocumentReference", registered.id, registered.version, registered.registered_at
            )
            if accepted.warnings[position]:
                response["outcome"] = _warnings(accepted.warnings[position])
        elif index in binaries:
            registered = accepted.documents[binaries[index]]
            response = created(
                "Binary", registered.id, registered.version, registered.registered_at
            )
        elif index in accepted.folders:
            response = created("List", accepted.folders[index], 1, first.registered_at)
        elif accepted.bundle.order[index] == "Parameters":
            response = {"status": "200 OK"}
        else:
            response = created("List", first.submission_set, 1, first.registered_at)
            if accepted.set_warnings:
                response["outcome"] = _warnings(accepted.set_warnings)
        entries.append({"response": response})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def _warnings(problems: list[Problem]) -> dict[str, Any]:
    return operation_outcome(
        DomainError(Category.INCORRECT, "accepted_with_warnings", "", problems=problems)
    )
