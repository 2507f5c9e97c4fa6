"""The body of a search by traits, RECSANSVITALE (spec: ins.md §4.5).

The schema makes every element optional; the service itself needs family name, one given name,
sex and birth date. Text is taken as it is: a space before a name is a fault, not a detail.
"""

from lxml import etree

from services.ins.domain.matching import Query
from services.ins.insi.faults import BODY_REFUSED, InsiFault
from services.ins.insi.names import REC_SANS
from socle.ids.traits import (
    check_birth_date,
    check_birth_place,
    check_family_name,
    check_given_name,
    check_sex,
)
from socle.problems import Problem

_CHECKS = {
    "NomNaissance": check_family_name,
    "Prenom": check_given_name,
    "Sexe": check_sex,
    "DateNaissance": check_birth_date,
    "LieuNaissance": check_birth_place,
}
_MANDATORY = ("NomNaissance", "Prenom", "Sexe", "DateNaissance")
MAX_PROBLEMS = 100
_PATH = "/Envelope/Body/RECSANSVITALE"


def read_query(root: etree._Element, message_id: str) -> Query:
    """The query, or one fault that names everything that is wrong with it."""
    problems: list[Problem] = []
    values: dict[str, list[str]] = {name: [] for name in _CHECKS}
    for element in root:
        name = str(element.tag).removeprefix(f"{{{REC_SANS}}}")
        if name not in _CHECKS:
            problems.append(_problem("INS-BODY-UNKNOWN", _PATH, "an element that is not known"))
        elif len(element):
            problems.append(_problem("INS-BODY-TEXT", f"{_PATH}/{name}", "it has children"))
        else:
            values[name].append(element.text or "")
    problems += _check_counts(values)
    for name, check in _CHECKS.items():
        for index, value in enumerate(values[name], start=1):
            problems += check(value, f"{_PATH}/{name}[{index}]")
    if problems:
        raise InsiFault(BODY_REFUSED, _bounded(problems), message_id=message_id)
    return Query(
        family_name=values["NomNaissance"][0],
        given_names=tuple(values["Prenom"]),
        sex=values["Sexe"][0],
        birth_date=values["DateNaissance"][0],
        birth_place=next(iter(values["LieuNaissance"]), ""),
    )


def _bounded(problems: list[Problem]) -> list[Problem]:
    """A hostile body of thousands of faults must not make a far larger answer."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    left = len(problems) - MAX_PROBLEMS
    return [*problems[:MAX_PROBLEMS], _problem("INS-BODY-MORE", _PATH, f"{left} problems more")]


def _check_counts(values: dict[str, list[str]]) -> list[Problem]:
    problems = [
        _problem("INS-BODY-MISSING", f"{_PATH}/{name}", "it is missing")
        for name in _MANDATORY
        if not values[name]
    ]
    problems += [
        _problem("INS-BODY-DOUBLED", f"{_PATH}/{name}", f"it is there {len(found)} times")
        for name, found in values.items()
        if name != "Prenom" and len(found) > 1
    ]
    return problems


def _problem(rule: str, path: str, message: str) -> Problem:
    return Problem(
        rule,
        path,
        message,
        "NomNaissance, Prenom (one or more), Sexe, DateNaissance, and at most one LieuNaissance",
        source="WSDL DESIR_ICIR_EXP 1.5.0, INSi_REC_SANS_VITALE.xsd",
    )
