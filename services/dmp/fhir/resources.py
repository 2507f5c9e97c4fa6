"""FHIR resources built from registry entries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.dmp.domain.visibility import confidentiality_of
from services.dmp.fhir.access import codings
from services.dmp.fhir.from_xds import label_concepts
from services.dmp.fhir.identifiers import URI_SYSTEM, uri_of
from services.dmp.repository import StoredEntry
from socle.fhir.bundle import instant
from socle.xds.document_entry import Coded

FHIR_STATUS = {
    "Approved": "current",
    "Archived": "current",
    "Deprecated": "superseded",
    "Deleted": "entered-in-error",
}
XDS_STATUSES = {
    "current": ("Approved", "Archived"),
    "superseded": ("Deprecated",),
    "entered-in-error": ("Deleted",),
}
IS_ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"


def document_reference(entry: StoredEntry, base: str) -> dict[str, Any]:
    """What the producer wrote, with what the registry knows laid over it.

    The resource is the document: its id is the logicalId, which is the first entryUUID and stays
    through every change, as FHIR asks of an id. Each entryUUID stands in `identifier`, and reads
    the same resource (docs/adr/0009; spec: dmp.md §3.5, mapping conflict b).
    """
    submitted = entry.metadata["submitted"]
    content = [dict(part) for part in submitted["content"]]
    content[0]["attachment"] = {
        **content[0]["attachment"],
        "url": f"{base}/Binary/{entry.logical_id}",
        "size": entry.metadata["size"],
        "hash": entry.metadata["sha1_base64"],
    }
    extensions = [one for one in submitted.get("extension", []) if one.get("url") != IS_ARCHIVED]
    # Always there: the guide's PATCH replaces its value (PDSm4DMP TD3.3d).
    extensions.append({"url": IS_ARCHIVED, "valueBoolean": entry.status == "Archived"})
    return {
        **submitted,
        "extension": extensions,
        "resourceType": "DocumentReference",
        "id": str(entry.logical_id),
        "meta": {
            **submitted.get("meta", {}),
            "versionId": str(entry.revision),
            "lastUpdated": instant(entry.registered_at),
        },
        "masterIdentifier": {"system": URI_SYSTEM, "value": uri_of(entry.unique_id)},
        "identifier": [
            *_foreign(submitted.get("identifier"), entry),
            {"use": "official", "system": URI_SYSTEM, "value": f"urn:uuid:{entry.logical_id}"},
            {"use": "usual", "system": URI_SYSTEM, "value": f"urn:uuid:{entry.id}"},
        ],
        "status": FHIR_STATUS[entry.status],
        "securityLabel": _labels(entry),
        "content": content,
    }


def _labels(entry: StoredEntry) -> list[Any]:
    """What hides the document first: PDSm4DMP masks and unmasks by /securityLabel/0 (TD3.3a)."""
    given = entry.metadata["submitted"].get("securityLabel")
    if not given:
        known = entry.metadata.get("xds", {}).get("confidentiality", ())
        given = label_concepts([Coded(**one) for one in known] or list(confidentiality_of(())))
    return sorted(given, key=_is_level)


def _is_level(label: Any) -> bool:
    return any(system.endswith("v3-Confidentiality") for system, _ in codings(label))


def _foreign(identifiers: Any, entry: StoredEntry) -> list[Any]:
    """The producer's own identifiers; those that name this entry are given once."""
    own = {f"urn:uuid:{entry.logical_id}", f"urn:uuid:{entry.id}"}
    return [item for item in identifiers or [] if item.get("value") not in own]


def created(kind: str, resource_id: UUID, version: int, at: datetime) -> dict[str, Any]:
    """One `response` of a transaction-response."""
    return {
        "status": "201 Created",
        "location": f"{kind}/{resource_id}/_history/{version}",
        "etag": f'W/"{version}"',
        "lastModified": instant(at),
    }
