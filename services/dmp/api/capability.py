"""GET [base]/metadata: what this FHIR server does today, no more."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.dmp.api.fhir_base import base_url
from services.dmp.fhir import search, set_search
from socle import __version__
from socle.auth.dependencies import RequestSpace
from socle.fhir.messages import fhir_response

router = APIRouter(prefix="/dmp/fhir", tags=["FHIR"])
_CHAINED = ("patient.identifier",)
_TYPES = {
    **dict.fromkeys(("date", "creation", "period", "period-start", "period-end"), "date"),
    **dict.fromkeys(
        ("patient", "author", "related", "relatesto", "source", "authorOrg", "PDSm_authorOrg"),
        "reference",
    ),
    **dict.fromkeys(("title", "author.family", "author.given", "source.family", "source.given"),
                    "string"),
}  # fmt: skip
"""Of the search parameters, where they are no tokens."""
_PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"


@router.get("/metadata", response_class=Response)
async def capability_statement(request: Request, space: RequestSpace) -> Response:
    return fhir_response(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-26",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json", "xml"],
            "patchFormat": ["application/json-patch+json", "application/fhir+json"],
            "software": {"name": "Socle", "version": __version__},
            "implementation": {"description": "DMP sandbox", "url": base_url(request)},
            "rest": [
                {
                    "mode": "server",
                    "interaction": [{"code": "transaction"}],
                    "resource": [
                        _document_reference(),
                        _list(),
                        _resource("Binary", "read", "vread"),
                        _patient(),
                    ],
                }
            ],
        }
    )


def _resource(kind: str, *interactions: str) -> dict[str, Any]:
    return {"type": kind, "interaction": [{"code": code} for code in interactions]}


def _document_reference() -> dict[str, Any]:
    return {
        **_resource("DocumentReference", "read", "vread", "search-type", "create", "patch"),
        "conditionalUpdate": True,
        "versioning": "versioned",
        "readHistory": False,
        "supportedProfile": [
            f"{_PDSM}{name}"
            for name in ("pdsm-comprehensive-document-reference", "pdsm-simplified-publish")
        ],
        "searchParam": _parameters(search.PARAMETERS),
    }


def _list() -> dict[str, Any]:
    return {
        **_resource("List", "read", "vread", "search-type"),
        "supportedProfile": [f"{_PDSM}pdsm-submissionset-comprehensive"],
        "searchParam": _parameters(set_search.PARAMETERS),
    }


def _patient() -> dict[str, Any]:
    return {
        **_resource("Patient", "search-type"),
        "searchParam": [{"name": "identifier", "type": "token"}],
    }


def _parameters(names: Sequence[str]) -> list[dict[str, str]]:
    """Chained ones are searched, and have no type of their own."""
    return [{"name": name, "type": _TYPES.get(name, "token")} for name in (*_CHAINED, *names)]
