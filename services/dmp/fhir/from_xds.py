"""A document that came by SOAP, as a DocumentReference of PDSm (mapping: MHD 4.2 vol. 3, PDSm)."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.dmp.fhir.codes import system_of_oid
from services.dmp.fhir.identifiers import URI_SYSTEM, uri_of
from socle.fhir.bundle import instant
from socle.ids.ins import Ins
from socle.xds.document_entry import Author, Coded, DocumentEntry

PROFILE: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
    "pdsm-comprehensive-document-reference"
)


_RELATIONS: Final = {
    "RPLC": "replaces",
    "APND": "appends",
    "XFRM": "transforms",
    "XFRM_RPLC": "replaces",
}


def reference_of(
    entry: DocumentEntry, ins: Ins, related: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Without what the registry adds to every resource: id, url, size and hash of the attachment.

    `related` holds kinds of association and entryUUIDs.
    """
    identifier = ins.fhir_identifier
    created = instant_of(entry.creation_time)
    attachment: dict[str, Any] = {
        "contentType": entry.mime_type,
        "language": entry.language,
        "size": entry.size,
        "hash": base64.b64encode(bytes.fromhex(entry.hash)).decode(),
        "title": entry.title,
    }
    if created:
        attachment["creation"] = created
    format_code = {
        "system": system_of_oid(entry.format_code.system),
        "code": entry.format_code.code,
    }
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "meta": {"profile": [PROFILE]},
        "contained": [_patient(identifier), *practitioners(entry.authors)],
        "masterIdentifier": {"system": URI_SYSTEM, "value": uri_of(entry.unique_id)},
        "status": "current",
        "relatesTo": [
            {"code": _RELATIONS[kind], "target": {"reference": f"DocumentReference/{target}"}}
            for kind, target in related
        ],
        "type": _concept(entry.type_code),
        "category": [_concept(entry.class_code)],
        "subject": {"identifier": identifier},
        "author": [{"reference": f"#author{n}"} for n in range(len(_persons(entry.authors)))],
        "securityLabel": label_concepts(entry.confidentiality),
        "content": [{"attachment": attachment, "format": format_code}],
        "context": _context(entry),
    }
    if created:
        resource["date"] = created
    if entry.comments:
        resource["description"] = entry.comments
    institution = next((i for author in entry.authors for i in author.institutions), "")
    if institution:  # `custodian` has no counterpart in XDS (spec: dmp.md §3.5)
        resource["custodian"] = {"display": institution.partition("^")[0]}
    return {name: value for name, value in resource.items() if value not in ([], "")}


def label_concepts(codes: Sequence[Coded]) -> list[dict[str, Any]]:
    """`securityLabel`."""
    return [_concept(code) for code in codes]


def _context(entry: DocumentEntry) -> dict[str, Any]:
    context: dict[str, Any] = {
        "facilityType": _concept(entry.facility_type),
        "practiceSetting": _concept(entry.practice_setting),
        "sourcePatientInfo": {"reference": "#patient"},
    }
    if entry.event_codes:
        context["event"] = [_concept(code) for code in entry.event_codes]
    period = {"start": instant_of(entry.service_start), "end": instant_of(entry.service_stop)}
    if given := {name: at for name, at in period.items() if at}:
        context["period"] = given
    if entry.reference_ids:
        context["related"] = [{"identifier": _reference(one)} for one in entry.reference_ids]
    return context


def _reference(cxi: str) -> dict[str, Any]:
    """An identifier from CXi: `value^^^&authority&ISO^type`."""
    value, _, _, authority, kind = [*cxi.split("^"), "", "", "", ""][:5]
    oid = [*authority.split("&"), ""][1]
    identifier: dict[str, Any] = {"value": value}
    if oid:
        identifier["system"] = f"urn:oid:{oid}"
    if kind:
        identifier["type"] = {"coding": [{"system": URI_SYSTEM, "code": kind}]}
    return identifier


def _patient(identifier: dict[str, object]) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "patient", "identifier": [identifier]}


def _persons(authors: tuple[Author, ...]) -> list[str]:
    return [author.person for author in authors if author.person]


def practitioners(authors: tuple[Author, ...]) -> list[dict[str, Any]]:
    """From XCN: id^NOM^Prénom."""
    found = []
    for number, person in enumerate(_persons(authors)):
        identifier, family, given = [*person.split("^"), "", ""][:3]
        resource: dict[str, Any] = {"resourceType": "Practitioner", "id": f"author{number}"}
        if identifier:
            resource["identifier"] = [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": identifier}]
        name = {"family": family, "given": [given] if given else []}
        resource["name"] = [{key: value for key, value in name.items() if value}]
        found.append(resource)
    return found


def _concept(code: Coded) -> dict[str, Any]:
    coding = {"system": system_of_oid(code.system), "code": code.code, "display": code.display}
    return {"coding": [{name: value for name, value in coding.items() if value}]}


def instant_of(stamp: str) -> str:
    """As precise as the stamp: a date stays a date."""
    if len(stamp) < 14:
        parts = [stamp[:4], stamp[4:6], stamp[6:8]]
        return "-".join(part for part in parts if part)
    try:
        return instant(datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return ""
