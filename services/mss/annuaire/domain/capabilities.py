"""GET /metadata: what this server does, no more (its model is AsServerDPCapabilityStatement)."""

from typing import Any

from services.mss.annuaire.domain import systems
from services.mss.annuaire.domain.parameters import INCLUDES, PARAMETERS, REVERSE_INCLUDES, Type

_PROFILES = {
    "Practitioner": "practitioner",
    "PractitionerRole": "practitionerrole",
    "Organization": "organization",
    "Device": "device",
    "HealthcareService": "healthcareservice-healthcare-activity",
}
_CONDITIONAL_PATCH = (
    "http://hl7.org/fhir/5.0/StructureDefinition/"
    "extension-CapabilityStatement.rest.resource.conditionalPatch"
)


def capability_statement(url: str, version: str, *, as_in_production: bool) -> dict[str, Any]:
    """In production neither `mailbox-mss-type` nor PATCH is there yet (spec: mss.md §2)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-29",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "software": {"name": "Socle", "version": version},
        "implementation": {"description": "Annuaire Santé, bac à sable", "url": url},
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(kind, as_in_production) for kind in systems.KINDS],
            }
        ],
    }


def _resource(kind: str, as_in_production: bool) -> dict[str, Any]:
    interactions = ["search-type", "read"]
    described: dict[str, Any] = {"type": kind, "profile": systems.profiles(_PROFILES[kind])[0]}
    if kind in systems.HOLDERS and not as_in_production:
        interactions.append("patch")
        described["extension"] = [{"url": _CONDITIONAL_PATCH, "valueBoolean": True}]
    described["interaction"] = [{"code": code} for code in interactions]
    if INCLUDES[kind]:
        described["searchInclude"] = ["*", *INCLUDES[kind]]
    if REVERSE_INCLUDES[kind]:
        described["searchRevInclude"] = list(REVERSE_INCLUDES[kind])
    described["searchParam"] = [
        {
            "name": one.name,
            **({"definition": one.definition} if one.definition else {}),
            "type": one.type.in_fhir,
        }
        for one in PARAMETERS[kind].values()
        if not (as_in_production and one.type is Type.MAILBOX_TYPE)
    ]
    return described
