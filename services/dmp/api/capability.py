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
            "software": {"name": "Socle", "version": __version__},
            "implementation": {"description": "DMP sandbox", "url": base_url(request)},
            "rest": [
                {
                    "mode": "server",
                    "interaction": [{"code": "transaction"}],
                    "resource": [
                        _document_reference(),
                        _list(),
                        _resource("Binary", "read"),
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
        **_resource("DocumentReference", "read", "search-type", "create", "patch"),
        "conditionalUpdate": True,
        "supportedProfile": [
            f"{_PDSM}{name}"
            for name in ("pdsm-comprehensive-document-reference", "pdsm-simplified-publish")
        ],
        "searchParam": _parameters(search.PARAMETERS),
    }


def _list() -> dict[str, Any]:
    return {
        **_resource("List", "read", "search-type"),
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
    dates = {"date", "creation", "period", "period-start", "period-end"}
    return [
        {"name": name, "type": "date" if name in dates else "token"}
        for name in ("patient.identifier", *names)
    ]
