"""The body of a search by traits, RECSANSVITALE (spec: ins.md §4.5).

The schema makes every element optional; the service itself needs family name, one given name,
sex and birth date. Text is taken as it is: a space before a name is a fault, not a detail.
"""

from lxml import etree

from services.ins.domain.matching import Query
from services.ins.insi.body import BodyForm, refuse_if_any
from services.ins.insi.names import REC_SANS
from socle.ids.traits import (
    check_birth_date,
    check_birth_place,
    check_family_name,
    check_given_name,
    check_sex,
)

_CHECKS = {
    "NomNaissance": check_family_name,
    "Prenom": check_given_name,
    "Sexe": check_sex,
    "DateNaissance": check_birth_date,
    "LieuNaissance": check_birth_place,
}
FORM = BodyForm(
    "RECSANSVITALE",
    REC_SANS,
    {"NomNaissance": 1, "Prenom": 0, "Sexe": 1, "DateNaissance": 1, "LieuNaissance": 1},
    ("NomNaissance", "Prenom", "Sexe", "DateNaissance"),
    "NomNaissance, Prenom (one or more), Sexe, DateNaissance, and at most one LieuNaissance",
    "WSDL DESIR_ICIR_EXP 1.5.0, INSi_REC_SANS_VITALE.xsd",
)


def read_query(root: etree._Element, message_id: str) -> Query:
    """The query, or one fault that names everything that is wrong with it."""
    values, problems = FORM.read(root)
    for name, check in _CHECKS.items():
        for index, value in enumerate(values[name], start=1):
            problems += check(value, f"{FORM.path}/{name}[{index}]")
    refuse_if_any(problems, message_id)
    return Query(
        family_name=values["NomNaissance"][0],
        given_names=tuple(values["Prenom"]),
        sex=values["Sexe"][0],
        birth_date=values["DateNaissance"][0],
        birth_place=next(iter(values["LieuNaissance"]), ""),
    )
