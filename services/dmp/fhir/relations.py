"""What a new document is to registered ones: `relatesTo`, and the PATCH entry that goes with it.

PDSm4DMP TD2.1b replaces with a lot that holds both; MHD asks for `relatesTo` (spec: dmp.md §3.5).
"""

from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from services.dmp.fhir.access import items, mapping, text
from services.dmp.fhir.bundle import MHD, Part
from services.dmp.fhir.identifiers import unique_id_of
from services.dmp.related import Wanted
from socle.problems import Problem

CODES: Final = {"replaces": "RPLC", "appends": "APND", "transforms": "XFRM"}
_SUPERSEDED: Final = {"replace", "DocumentReference.status", "superseded"}


def read_relations(reference: Part, source: UUID) -> tuple[list[Wanted], list[Problem]]:
    wanted, problems = [], []
    for index, one in enumerate(items(reference.resource.get("relatesTo"))):
        path = f"{reference.path}.relatesTo[{index}]"
        kind = CODES.get(text(mapping(one).get("code")))
        if kind is None:
            problems.append(
                Problem("MHD-RELATESTO", f"{path}.code", "another relation", ", ".join(CODES),
                        source=MHD)
            )  # fmt: skip
        target = _target(mapping(mapping(one).get("target")))
        if not target:
            problems.append(
                Problem("MHD-RELATESTO", f"{path}.target", "it names no document",
                        "reference DocumentReference/<id>, or identifier", source=MHD)
            )  # fmt: skip
        if kind and target:
            wanted.append(Wanted(kind, source, target, path, any_version=True))
    return wanted, problems


def check_patch(entry: Part, url: str, replaced: set[str]) -> list[Problem]:
    """The one change that a lot may carry: what it replaces becomes superseded."""
    given = {
        next((str(value) for name, value in part.items() if name.startswith("value")), "")
        for parameter in items(entry.resource.get("parameter"))
        for part in map(mapping, items(mapping(parameter).get("part")))
    }
    if given == _SUPERSEDED and reference_id(url) in replaced:
        return []
    return [
        Problem(
            "MHD-PATCH",
            entry.path,
            "this change is not that of a replacement",
            "operation replace, path DocumentReference.status, value superseded, on the "
            "DocumentReference that relatesTo replaces",
            source="PDSm4DMP TD2.1b",
        )
    ]


def reference_id(reference: str) -> str:
    """The id, or the identifier of a conditional reference; "" where there is none, or one that no
    registry can look for."""
    if "\0" in reference:
        return ""
    parts = urlsplit(reference)
    if parts.path.endswith("DocumentReference") and parts.query.startswith("identifier="):
        system, _, value = parts.query.removeprefix("identifier=").rpartition("|")
        return unique_id_of({"system": system, "value": value})
    folder, _, name = parts.path.rpartition("/")
    if folder.endswith("DocumentReference"):
        return name
    return reference if reference.startswith("urn:uuid:") else ""


def _target(target: dict[str, Any]) -> str:
    found = reference_id(text(target.get("reference"))).removeprefix("urn:uuid:")
    found = found or unique_id_of(target.get("identifier"))
    return "" if "\0" in found else found
