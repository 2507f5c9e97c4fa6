"""An ITI-65 bundle around a CDA document, as an éditeur's software would build it (PDSm)."""

import base64
from typing import Any

from socle.cda.metadata import DocumentMetadata
from socle.cda.model import Code
from socle.idgen import random_uuid

_PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
_MHD = "https://profiles.ihe.net/ITI/MHD"
_NOS = "https://mos.esante.gouv.fr/NOS"
_URI = "urn:ietf:rfc:3986"


def provide_bundle(content: bytes, metadata: DocumentMetadata, author: str) -> dict[str, Any]:
    """`author` is the IDNAT_PS of the professional who submits."""
    assert metadata.patient is not None
    list_url, reference_url, binary_url = (f"urn:uuid:{random_uuid()}" for _ in range(3))
    ins = metadata.patient
    subject = {"reference": f"Patient?identifier=urn:oid:{ins.oid}|{ins.with_key}"}
    contained = [
        {"resourceType": "Patient", "id": "patient", "identifier": [ins.fhir_identifier]},
        {
            "resourceType": "Practitioner",
            "id": "author",
            "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": author}],
        },
    ]
    role = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "#author"},
    }
    created = metadata.creation_time.isoformat()
    submission_set = {
        "resourceType": "List",
        "meta": {"profile": [_PDSM + "pdsm-submissionset-comprehensive"]},
        "contained": [*contained, role],
        "status": "current",
        "mode": "working",
        "extension": [
            {
                "url": f"{_MHD}/StructureDefinition/ihe-designationType",
                "valueCodeableConcept": _concept("urn:oid:1.2.250.1.213.2.2", "07"),
            },
            {
                "url": f"{_MHD}/StructureDefinition/ihe-sourceId",
                "valueIdentifier": {"system": _URI, "value": "urn:oid:1.2.250.1.999.1"},
            },
        ],
        "code": _concept(f"{_MHD}/CodeSystem/MHDlistTypes", "submissionset"),
        "subject": subject,
        "date": created,
        "source": {"reference": "#role"},
        "entry": [{"item": {"reference": reference_url}}],
    }
    reference = _document_reference(content, metadata, binary_url, subject, contained)
    binary = {
        "resourceType": "Binary",
        "contentType": metadata.mime_type,
        "data": base64.b64encode(content).decode(),
    }
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [_PDSM + "pdsm-comprehensive-provide-document-bundle"]},
        "type": "transaction",
        "entry": [
            _entry(list_url, submission_set),
            _entry(reference_url, reference),
            _entry(binary_url, binary),
        ],
    }


def _document_reference(
    content: bytes,
    metadata: DocumentMetadata,
    binary_url: str,
    subject: dict[str, str],
    contained: list[dict[str, Any]],
) -> dict[str, Any]:
    created = metadata.creation_time.isoformat()
    root = metadata.unique_id.partition("^")[0]
    scheme = "uuid" if "-" in root else "oid"
    category = metadata.class_code
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [_PDSM + "pdsm-comprehensive-document-reference"]},
        "contained": contained,
        "masterIdentifier": {"system": _URI, "value": f"urn:{scheme}:{metadata.unique_id}"},
        "status": "current",
        "type": _concept("http://loinc.org", metadata.type_code.code),
        "category": [
            _concept(
                f"{_NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument",
                category.code if category else "10",
            )
        ],
        "subject": subject,
        "date": created,
        "author": [{"reference": "#author"}],
        "authenticator": {"reference": "#author"},
        "custodian": {"display": "Socle demo"},
        "securityLabel": [
            _concept("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N")
        ],
        "content": [
            {
                "attachment": {
                    "contentType": metadata.mime_type,
                    "language": "fr-FR",
                    "url": binary_url,
                    "size": metadata.size,
                    "hash": base64.b64encode(bytes.fromhex(metadata.sha1)).decode(),
                    "title": metadata.title,
                    "creation": created,
                },
                "format": {
                    "system": f"{_NOS}/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode",
                    "code": metadata.format_code.code,
                },
            }
        ],
        "context": {
            "period": {"start": created},
            "sourcePatientInfo": {"reference": "#patient"},
            "facilityType": _concept(
                f"{_NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite",
                _code(metadata.facility_type),
            ),
            "practiceSetting": _concept(
                f"{_NOS}/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice",
                _code(metadata.practice_setting),
            ),
        },
    }


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _code(found: Code | None) -> str:
    return found.code if found else ""


def _entry(full_url: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "fullUrl": full_url,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }
