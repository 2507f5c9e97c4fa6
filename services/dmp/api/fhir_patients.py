"""TD0.2 by FHIR: GET [base]/Patient?identifier=urn:oid:<OID>|<INS> (PDSm4DMP, a draft)."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp.api.fhir_base import base_url
from services.dmp.api.preferences import policy_of
from services.dmp.fhir.identifiers import ins_of_token
from services.dmp.fhir.patients import patient_resource
from services.dmp.hot.registrar import Registrar
from services.dmp.records import Records
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.errors import Category, DomainError
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response
from socle.fhir.search import SearchParameters, page_links
from socle.ids.ins import Ins
from socle.problems import Problem

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])


@router.get("/Patient", response_class=Response)
@router.post("/Patient/_search", response_class=Response)
async def search(
    request: Request, caller: Professional, space: CallerSpace, parameters: SearchParameters
) -> Response:
    """Of a patient without a record nothing is found."""
    ins = _ins_of(parameters, despite_key=policy_of(request).is_lenient)
    kernel = kernel_of(request)
    registrar = cast(Registrar, request.app.state.registrar)
    records = Records(kernel, space, registrar.ins, caller.token)
    record = await records.find(ins)
    resources = []
    if record is not None:
        right = await records.right(ins, caller.national_id)
        pseudonym = kernel.pseudonym(space.name, ins.oid, ins.matricule)
        resources.append(patient_resource(record, pseudonym, right))
    base = base_url(request)
    used = [(name, value) for name, value in parameters if name == "identifier"]
    links = page_links(base, "Patient", used, None)
    return fhir_response(searchset(resources, base, len(resources), links))


def _ins_of(parameters: list[tuple[str, str]], *, despite_key: bool) -> Ins:
    given = [value for name, value in parameters if name == "identifier"]
    value = given[0] if len(given) == 1 else ""
    ins, faults = ins_of_token(value, despite_key=despite_key)
    if ins is None:
        expected = "identifier=urn:oid:<OID>|<INS>, once"
        problems = [
            Problem("DMP-SEARCH-IDENTIFIER", "Patient?identifier", fault, expected,
                    source="PDSm4DMP TD0.2")
            for fault in faults
        ]  # fmt: skip
        raise DomainError(
            Category.INCORRECT, "search_parameters", "The search cannot be made as asked.",
            problems=problems,
        )  # fmt: skip
    return ins
