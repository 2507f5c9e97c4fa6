"""Patient/$match: reads who is sought, and dresses who was found (FHIR R4, Patient/$match)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.ins.domain.likeness import Sought, grade
from socle.ids.ins import INS_OIDS
from socle.problems import Problem

SOURCE = "FHIR R4, OperationDefinition/Patient-match"
DEFAULT_COUNT = 10
MAX_COUNT = 100
_SEXES = {"male": "M", "female": "F"}
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_LIST_OF_GIVEN = "/fr-core-patient-birth-list-given-name"
_BIRTH_PLACE = "/patient-birthPlace"
_INSEE = "/fr-core-address-insee-code"


@dataclass(frozen=True, slots=True)
class MatchRequest:
    sought: Sought
    only_certain: bool
    count: int


def read_match(body: Any) -> tuple[MatchRequest | None, list[Problem]]:
    """A `Parameters`, or the Patient alone as many clients send it."""
    resource, only_certain = body, False
    count: Any = DEFAULT_COUNT
    problems: list[Problem] = []
    if isinstance(body, dict) and body.get("resourceType") == "Parameters":
        resource = None
        for part in _dicts(body.get("parameter")):
            if part.get("name") == "resource":
                resource = part.get("resource")
            elif part.get("name") == "onlyCertainMatches":
                only_certain = part.get("valueBoolean") is True
            elif part.get("name") == "count":
                count = part.get("valueInteger")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        problems.append(_problem("Parameters.parameter", "no count", "an integer from 1"))
        count = DEFAULT_COUNT
    if not isinstance(resource, dict) or resource.get("resourceType") != "Patient":
        problems.append(
            _problem("Parameters.parameter", "there is no Patient", "a parameter `resource`")
        )
        return None, problems
    sought = read_patient(resource)
    if not sought.can_be_looked_up:
        problems.append(
            _problem("Patient", "nothing to look for", "identifier, name.family or birthDate")
        )
    if problems:
        return None, problems
    return MatchRequest(sought, only_certain, min(count, MAX_COUNT)), []


def read_patient(resource: dict[str, Any]) -> Sought:
    """What FR Core says where; parts of another type are passed over as if they were not there."""
    names = _dicts(resource.get("name"))
    official = [name for name in names if name.get("use") == "official"] or names
    name = official[0] if official else {}
    listed = _extension(name, _LIST_OF_GIVEN).get("valueString")
    given = name.get("given")
    parts = given if isinstance(given, list) else []
    first = " ".join(part for part in parts if isinstance(part, str))
    place = _extension(resource, _BIRTH_PLACE).get("valueAddress")
    insee = _extension(place, _INSEE).get("valueCoding") if isinstance(place, dict) else None
    return Sought(
        family_name=_text(name.get("family")),
        given_names=_text(listed) or first,
        birth_date=_text(resource.get("birthDate")),
        sex=_SEXES.get(_text(resource.get("gender")), ""),
        birth_place=_text(insee.get("code")) if isinstance(insee, dict) else "",
        ins=_ins(_dicts(resource.get("identifier"))),
    )


def found(score: float) -> dict[str, Any]:
    """The `search` element of an entry."""
    return {
        "extension": [{"url": _GRADE, "valueCode": grade(score)}],
        "mode": "match",
        "score": score,
    }


def _ins(identifiers: Sequence[dict[str, Any]]) -> tuple[str, str] | None:
    for identifier in identifiers:
        oid = _text(identifier.get("system")).removeprefix("urn:oid:")
        if oid in INS_OIDS and identifier.get("use") != "old":
            return oid, _text(identifier.get("value")).upper()[:13]
    return None


def _extension(element: dict[str, Any], url: str) -> dict[str, Any]:
    for extension in _dicts(element.get("extension")):
        if _text(extension.get("url")).endswith(url):
            return extension
    return {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Without the NUL that PostgreSQL cannot compare."""
    return value.replace("\0", "") if isinstance(value, str) else ""


def _problem(path: str, message: str, expected: str) -> Problem:
    return Problem("FHIR-MATCH", path, message, expected, source=SOURCE)
