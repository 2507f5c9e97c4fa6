"""ITI-65, Provide Document Bundle: POST [base]."""

from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp import service
from services.dmp.fhir.resources import created
from services.dmp.hot.registrar import Registrar
from services.dmp.service import Accepted
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.errors import Category, DomainError
from socle.fhir.messages import fhir_response, parse_json, require_fhir_json
from socle.http.render import operation_outcome
from socle.problems import Problem

router = APIRouter(tags=["FHIR"])


@router.post("/dmp/fhir", response_class=Response)
@router.post("/dmp/fhir/", response_class=Response, include_in_schema=False)
async def provide_document_bundle(
    request: Request, professional: Professional, space: CallerSpace
) -> Response:
    """A transaction bundle; 200 with a transaction-response once everything is durable."""
    require_fhir_json(request)
    accepted = await service.provide(
        kernel_of(request),
        cast(Registrar, request.app.state.registrar),
        professional,
        space,
        parse_json(await request.body()),
    )
    return fhir_response(_transaction_response(accepted))


def _transaction_response(accepted: Accepted) -> dict[str, Any]:
    """One entry a request entry, in the same order (FHIR R4 §3.1.0.11.2)."""
    references = {
        document.reference.index: position
        for position, document in enumerate(accepted.bundle.documents)
    }
    binaries = {
        document.binary.index: position
        for position, document in enumerate(accepted.bundle.documents)
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
        elif accepted.bundle.order[index] == "Parameters":
            response = {"status": "200 OK"}
        else:
            response = created("List", first.submission_set, 1, first.registered_at)
        entries.append({"response": response})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def _warnings(problems: list[Problem]) -> dict[str, Any]:
    return operation_outcome(
        DomainError(Category.INCORRECT, "accepted_with_warnings", "", problems=problems)
    )
