"""A patient's record as a Patient: the test of existence of TD0.2 by FHIR (PDSm4DMP TD0.2, a draft).

The names of the three extensions are those of the guide; the address that they stand under there is that
of a draft, hence unverified here.
"""

from typing import Any, Final

from services.dmp.domain.record import AccessRight, Record
from socle.fhir.bundle import instant

_BASE: Final = "https://interop.esante.gouv.fr/ig/fhir/pdsm4dmp/StructureDefinition"


def patient_resource(record: Record, pseudonym: str, right: AccessRight | None) -> dict[str, Any]:
    """`pseudonym` is its id; `right` is the caller's."""
    person = record.person
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": pseudonym,
        "extension": _extensions(record, right),
        "identifier": [record.ins.fhir_identifier],
        "active": record.is_open,
        "name": [_name("official", person.family_name, person.given_name)],
        "gender": {"F": "female", "M": "male"}.get(person.sex, ""),
        "birthDate": _date(person.birth_date),
    }
    if person.used_name and person.used_name != person.family_name:
        resource["name"].append(_name("usual", person.used_name, person.given_name))
    return {name: value for name, value in resource.items() if value not in ("", [], [{}])}


def _extensions(record: Record, right: AccessRight | None) -> list[dict[str, Any]]:
    is_treating = right is not None and right.is_treating_doctor
    found: list[dict[str, Any]] = [
        {"url": f"{_BASE}/dmp-rattachement-mes", "valueBoolean": record.attached},
        {"url": f"{_BASE}/dmp-medecin-traitant", "valueBoolean": is_treating},
    ]
    if not record.is_open:
        parts: list[dict[str, Any]] = []
        if record.closed_at is not None:
            parts.append({"url": "dateFermeture", "valueDateTime": instant(record.closed_at)})
        if record.closing_code:
            parts.append({"url": "motifFermeture", "valueString": record.closing_code})
        if parts:
            found.append({"url": f"{_BASE}/dmp-fermeture", "extension": parts})
    return found


def _name(use: str, family: str, given: str) -> dict[str, Any]:
    if not (family or given):
        return {}
    name: dict[str, Any] = {"use": use, "family": family, "given": [given] if given else []}
    return {key: value for key, value in name.items() if value}


def _date(stamp: str) -> str:
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}" if len(stamp) == 8 else ""
