"""A submission set as a List of PDSm (mapping: MHD 4.2 vol. 3 §4.5.1.1, PDSm)."""

from collections.abc import Sequence
from typing import Any, Final

from services.dmp.fhir.bundle import LIST_TYPES
from services.dmp.fhir.codes import system_of_oid
from services.dmp.fhir.from_xds import instant_of, practitioners
from services.dmp.fhir.identifiers import URI_SYSTEM, uri_of
from services.dmp.fhir.resources import IS_ARCHIVED
from services.dmp.repository import StoredEntry, StoredSet
from services.dmp.stored import set_of
from socle.fhir.bundle import instant
from socle.ids.ins import Ins
from socle.xds.submission_set import SubmissionSet

PROFILE: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
    "pdsm-submissionset-comprehensive"
)
_MHD: Final = "https://profiles.ihe.net/ITI/MHD/StructureDefinition"


def submission_list(stored: StoredSet, members: Sequence[StoredEntry]) -> dict[str, Any]:
    """`members` are the documents that the reader is shown; there may be none."""
    found = set_of(stored)
    submitted = stored.metadata.get("submitted") or _from_xds(found)
    extensions = [one for one in submitted.get("extension", []) if one.get("url") != IS_ARCHIVED]
    resource = {
        **submitted,
        "resourceType": "List",
        "id": str(stored.id),
        "meta": {
            **submitted.get("meta", {}),
            "versionId": "1",
            "lastUpdated": instant(stored.submitted_at),
        },
        "extension": [*extensions, {"url": IS_ARCHIVED, "valueBoolean": False}],
        "identifier": [
            {"use": "usual", "system": URI_SYSTEM, "value": uri_of(found.unique_id)},
            {"use": "official", "system": URI_SYSTEM, "value": f"urn:uuid:{stored.id}"},
        ],
        "status": "current",
        "mode": "working",
        "entry": [
            {"item": {"reference": f"DocumentReference/{one.logical_id}"}} for one in members
        ],
    }
    return {name: value for name, value in resource.items() if value not in ([], "")}


def _from_xds(found: SubmissionSet) -> dict[str, Any]:
    """What came by SOAP, or was made by the registry."""
    ins = Ins.from_cx(found.patient_id, despite_key=True)
    resource: dict[str, Any] = {
        "meta": {"profile": [PROFILE]},
        "contained": practitioners(found.authors),
        "extension": [
            {
                "url": f"{_MHD}/ihe-designationType",
                "valueCodeableConcept": {
                    "coding": [
                        {
                            "system": system_of_oid(found.content_type.system),
                            "code": found.content_type.code,
                        }
                    ]
                },
            },
            {
                "url": f"{_MHD}/ihe-sourceId",
                "valueIdentifier": {"system": URI_SYSTEM, "value": f"urn:oid:{found.source_id}"},
            },
        ],
        "code": {"coding": [{"system": LIST_TYPES, "code": "submissionset"}]},
        "title": found.title,
        "date": instant_of(found.submission_time),
        "note": [{"text": found.comments}] if found.comments else [],
    }
    if not found.content_type.code:
        resource["extension"] = resource["extension"][1:]
    if not found.source_id:
        resource["extension"] = resource["extension"][:-1]
    if ins is not None:
        resource["subject"] = {"identifier": ins.fhir_identifier}
    if resource["contained"]:
        resource["source"] = {"reference": "#author0"}
    return resource
