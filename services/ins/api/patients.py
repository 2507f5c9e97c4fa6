"""/ins/fhir: the identity records as FHIR patients. INSi itself has no such door (ins.md §8)."""

from typing import cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.ins import finder, repository
from services.ins.domain.likeness import grade, likeness
from services.ins.fhir.match import found, read_match
from services.ins.fhir.patient import patient
from services.ins.fhir.search import read_search
from services.ins.settings import InsSettings
from socle import __version__
from socle.auth.dependencies import CallerSpace, RequestSpace, kernel_of
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response, parse_json, require_fhir_json
from socle.fhir.search import SearchParameters, applied, page_links
from socle.problems import Problem

PREFIX = "/ins/fhir"
router = APIRouter(prefix=PREFIX, tags=["FHIR"])
CANDIDATES = 1000
"""Records that a match looks at: beyond them the names or dates were no criterion."""


@router.get("/metadata", response_class=Response)
async def capability_statement(request: Request, space: RequestSpace) -> Response:
    parameters = (
        ("_id", "token"), ("identifier", "token"), ("family", "string"), ("given", "string"),
        ("birthdate", "date"), ("gender", "token"), ("active", "token"),
    )  # fmt: skip
    resource = {
        "type": "Patient",
        "profile": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": kind} for name, kind in parameters],
        "operation": [
            {
                "name": "match",
                "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match",
            }
        ],
    }
    return fhir_response(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-27",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "software": {"name": "Socle", "version": __version__},
            "implementation": {"description": "INS sandbox", "url": _base(request)},
            "rest": [{"mode": "server", "resource": [resource]}],
        }
    )


@router.get("/Patient", response_class=Response)
@router.post("/Patient/_search", response_class=Response)
async def search(
    request: Request, space: CallerSpace, session: ReadSession, parameters: SearchParameters
) -> Response:
    wanted = read_search(parameters)
    if wanted.problems:
        raise _refused("search_parameters", "The search cannot be made as asked.", wanted.problems)
    identities = await finder.search_patients(session, space.name, wanted.query, wanted.count + 1)
    total = await finder.count_patients(session, space.name, wanted.query)
    page, more = identities[: wanted.count], len(identities) > wanted.count
    base = _base(request)
    rest = str(page[-1].id) if more else None
    links = page_links(base, "Patient", applied(parameters, wanted.ignored), rest)
    version = _settings(request).ins_fr_core
    return fhir_response(searchset([patient(one, version) for one in page], base, total, links))


@router.post("/Patient/$match", response_class=Response)
async def match(request: Request, space: CallerSpace, session: ReadSession) -> Response:
    """Who it may be, the most alike first, each with its grade."""
    require_fhir_json(request)
    asked, problems = read_match(parse_json(await request.body()))
    if asked is None:
        raise _refused("match_request", "Nobody can be looked for as asked.", problems)
    candidates = await finder.find_alike(session, space.name, asked.sought, CANDIDATES)
    scored = [(likeness(asked.sought, candidate), candidate) for candidate in candidates]
    wanted = ("certain",) if asked.only_certain else ("certain", "probable", "possible")
    alike = [(score, one) for score, one in scored if grade(score) in wanted]
    if asked.only_certain and len(alike) > 1:  # two certain ones are none (FHIR R4, $match)
        alike = []
    alike.sort(key=lambda scored: (-scored[0], scored[1].id))
    page = alike[: asked.count]
    version = _settings(request).ins_fr_core
    resources = [patient(one, version) for _, one in page]
    searches = [found(score) for score, _ in page]
    return fhir_response(searchset(resources, _base(request), len(alike), {}, searches))


@router.get("/Patient/{resource_id}", response_class=Response)
async def read(
    resource_id: str, request: Request, space: CallerSpace, session: ReadSession
) -> Response:
    identity = await repository.get_identity(session, space.name, _id(resource_id))
    if identity is None:
        raise _unknown(resource_id)
    return fhir_response(patient(identity, _settings(request).ins_fr_core))


def _base(request: Request) -> str:
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}{PREFIX}"


def _settings(request: Request) -> InsSettings:
    return cast(InsSettings, kernel_of(request).settings)


def _id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise _unknown(value) from None


def _unknown(value: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND, "patient_unknown", f"No patient {value[:64]} in this space."
    )


def _refused(code: str, detail: str, problems: list[Problem]) -> DomainError:
    return DomainError(Category.INCORRECT, code, detail, problems=problems)
