"""A folder as a List of PDSm, in and out (mapping: MHD 4.2 vol. 3 §4.5.1.3, PDSm)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from services.dmp.domain.folder import Folder, NewFolder
from services.dmp.fhir.access import first, items, mapping, text
from services.dmp.fhir.bundle import LIST_TYPES, MHD, Part, listed_by
from services.dmp.fhir.codes import oid_of_system, system_of_oid
from services.dmp.fhir.from_xds import instant_of
from services.dmp.fhir.identifiers import URI_SYSTEM, patient_ins, unique_id_of, uri_of
from services.dmp.fhir.relations import reference_id
from services.dmp.fhir.resources import IS_ARCHIVED
from services.dmp.folder_repository import StoredFolder
from services.dmp.related import Shelved
from services.dmp.repository import StoredEntry
from socle.fhir.bundle import instant
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.xds.document_entry import Coded

PROFILE: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-folder-comprehensive"
)
DESIGNATION: Final = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType"
_UNNAMED: Final = UUID("6f2a7a52-3c0e-5d1b-9b0e-3b0f0b6f5a12")
"""The namespace of the uniqueIds of folders that came without one: the same submission gives the same."""


def read_folder(
    part: Part, folder_id: UUID, patient: Ins, unique_id_of_document: str, new: Mapping[str, UUID]
) -> tuple[NewFolder, list[Shelved], list[Problem]]:
    """The folder and what goes into it; `new` gives the entryUUIDs of the bundle's documents by fullUrl."""
    resource = part.resource
    problems = []
    named = patient_ins(resource, despite_key=True)
    if named is not None and named[0] is not None and named[0] != patient:
        problems.append(
            Problem("XDSPatientIdDoesNotMatch", f"{part.path}.subject",
                    "the folder and its documents are not of one patient",
                    "the INS of the documents", source=MHD)
        )  # fmt: skip
    unnamed = f"2.25.{uuid5(_UNNAMED, f'{unique_id_of_document} {part.index}').int}"
    folder = Folder(
        unique_id=_unique_id(resource) or unnamed,
        patient_id=patient.cx,
        codes=tuple(_codes(resource)),
        title=text(resource.get("title")),
        comments=text(first(resource.get("note")).get("text")),
    )
    shelved = []
    for index, reference in enumerate(listed_by(part)):
        path = f"{part.path}.entry[{index}].item"
        name = str(new.get(reference, "")) or reference_id(reference).removeprefix("urn:uuid:")
        if name:
            shelved.append(Shelved(folder_id, name, path, is_new=reference in new))
        else:
            problems.append(
                Problem("MHD-FOLDER-ENTRY", path, "it names no document",
                        "the fullUrl of a DocumentReference of the bundle, or "
                        "DocumentReference/<id>", source=MHD)
            )  # fmt: skip
    return NewFolder(folder_id, folder, part.path, resource), shelved, problems


def folder_list(stored: StoredFolder, members: Sequence[StoredEntry]) -> dict[str, Any]:
    """`members` are the documents that the reader is shown; there may be none."""
    folder = stored.folder
    submitted = stored.submitted or _from_xds(folder)
    extensions = [one for one in submitted.get("extension", []) if one.get("url") != IS_ARCHIVED]
    resource = {
        **submitted,
        "resourceType": "List",
        "id": str(stored.id),
        "meta": {
            **submitted.get("meta", {}),
            "versionId": str(stored.version),
            "lastUpdated": instant(stored.updated_at),
        },
        "extension": [*extensions, {"url": IS_ARCHIVED, "valueBoolean": False}],
        "identifier": [
            {"use": "usual", "system": URI_SYSTEM, "value": uri_of(folder.unique_id)},
            {"use": "official", "system": URI_SYSTEM, "value": f"urn:uuid:{stored.id}"},
        ],
        "status": "current",
        "mode": "working",
        "date": instant_of(stored.updated),
        "entry": [
            {"item": {"reference": f"DocumentReference/{one.logical_id}"}} for one in members
        ],
    }
    return {name: value for name, value in resource.items() if value not in ([], "")}


def _from_xds(folder: Folder) -> dict[str, Any]:
    ins = Ins.from_cx(folder.patient_id, despite_key=True)
    codings = [
        {"system": system_of_oid(code.system), "code": code.code, "display": code.display}
        for code in folder.codes
    ]
    resource: dict[str, Any] = {
        "meta": {"profile": [PROFILE]},
        "extension": [
            {"url": DESIGNATION, "valueCodeableConcept": {"coding": [_without_blanks(one)]}}
            for one in codings
        ],
        "code": {"coding": [{"system": LIST_TYPES, "code": "folder"}]},
        "title": folder.title,
        "note": [{"text": folder.comments}] if folder.comments else [],
    }
    if ins is not None:
        resource["subject"] = {"identifier": ins.fhir_identifier}
    return resource


def _unique_id(resource: dict[str, Any]) -> str:
    """`usual` is the producer's (MHD 4.2 vol. 3); an entryUUID, `official`, is the registry's to give."""
    named = [mapping(one) for one in items(resource.get("identifier"))]
    usual = [one for one in named if text(one.get("use")) != "official"]
    return unique_id_of(usual[0]) if usual else ""


def _codes(resource: dict[str, Any]) -> list[Coded]:
    return [
        Coded(text(coding.get("code")), oid_of_system(text(coding.get("system"))),
              text(coding.get("display")))
        for extension in map(mapping, items(resource.get("extension")))
        if text(extension.get("url")) == DESIGNATION
        for coding in map(mapping, items(mapping(extension.get("valueCodeableConcept")).get("coding")))
        if text(coding.get("code"))
    ]  # fmt: skip


def _without_blanks(coding: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in coding.items() if value}
