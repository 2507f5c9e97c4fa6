"""The body of a search by Vitale card, RECVITALE, and what ContexteBAM says of the same card.

The schema makes every element optional. Derived: one of the two numbers is needed, and the birth
date, without which the beneficiaries of a card cannot be told apart. What ContexteBAM says of the
card is a matter of the headers, and checked as strictly as they are (SOCLE_INS_HEADERS).
"""

import re

from lxml import etree

from services.ins.domain.card import CardQuery
from services.ins.domain.official import official_keys
from services.ins.insi.body import BodyForm, refuse_if_any
from services.ins.insi.names import CTXBAM, REC_VIT
from socle.ids.ins import ins_key
from socle.ids.traits import check_birth_date, check_family_name
from socle.problems import Problem

SOURCE = "WSDL DESIR_ICIR_EXP 1.5.0, INSi_REC_VITALE.xsd"
_NUMBER = re.compile(r"([0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})?")
_RANK = re.compile(r"[0-9]{1,2}")
_NUMBERS = ("MatriculeIndividu", "MatriculeOD")
FORM = BodyForm(
    "RECVITALE",
    REC_VIT,
    {"NomNaissance": 1, "DateNaissance": 1, "RangNaissance": 1},
    ("DateNaissance",),
    "MatriculeIndividu or MatriculeOD (NumIdentifiant, Cle), DateNaissance, and at most one "
    "NomNaissance and RangNaissance",
    SOURCE,
)
_NUMBER_FORM = "13 characters: digits, with 2A or 2B for Corsica; or 15 with the key"


def read_card_query(root: etree._Element, message_id: str) -> CardQuery:
    """The query, or one fault that names everything that is wrong with it."""
    numbers = [child for child in root if _name(child) in _NUMBERS]
    values, problems = FORM.read(child for child in root if _name(child) not in _NUMBERS)
    found = {name: _number(numbers, name, problems) for name in _NUMBERS}
    if not numbers:
        problems.append(FORM.problem("INS-BODY-MISSING", "it has neither number", FORM.path))
    for name, check in (("NomNaissance", check_family_name), ("DateNaissance", check_birth_date)):
        for value in values[name]:
            problems += check(value, f"{FORM.path}/{name}")
    rank = next(iter(values["RangNaissance"]), "")
    if rank and not _RANK.fullmatch(rank):
        problems.append(
            _problem("INS-CARD-RANK", "RangNaissance", "it is no rank", "a number, such as 1")
        )
    refuse_if_any(problems, message_id)
    return CardQuery(
        own=found["MatriculeIndividu"],
        insured=found["MatriculeOD"],
        family_name=next(iter(values["NomNaissance"]), ""),
        birth_date=next(iter(values["DateNaissance"]), ""),
        birth_rank=int(rank or 0),
    )


def _number(elements: list[etree._Element], name: str, problems: list[Problem]) -> str:
    """The 13 characters. The key may be an element, the end of the number, or left out."""
    path = f"{FORM.path}/{name}"
    same = [element for element in elements if _name(element) == name]
    if len(same) > 1:
        problems.append(FORM.problem("INS-BODY-DOUBLED", f"it is there {len(same)} times", path))
    if len(same) != 1:
        return ""
    text = (same[0].findtext(f"{{{REC_VIT}}}NumIdentifiant") or "").strip().upper()
    match = _NUMBER.fullmatch(text)
    if match is None:
        problems.append(
            _problem("INS-CARD-NUMBER", f"{name}/NumIdentifiant", "no matricule", _NUMBER_FORM)
        )
        return ""
    number = match[1]
    key = match[2] or (same[0].findtext(f"{{{REC_VIT}}}Cle") or "").strip()
    if key and key != ins_key(number) and key not in _printed_keys(number):
        problems.append(
            _problem("INS-CARD-KEY", f"{name}/Cle", "the key is wrong", ins_key(number))
        )
    return number


def _printed_keys(number: str) -> set[str]:
    """Keys that an official source prints, though wrong (spec: ins.md §5)."""
    return {key for (_, matricule), key in official_keys().items() if matricule == number}


def check_coverage(bam: etree._Element, query: CardQuery) -> list[Problem]:
    """Whoever is asked for must be on the card that ContexteBAM tells of (CNDA tests 1.02, 1.03).

    An empty COUVERTURE tells of no card, and is let pass: whether INSi does is not known.
    """
    path = "/Envelope/Header/ContexteBAM/COUVERTURE"
    asked = {
        "ASSURE/Id/Num": query.insured,
        "BENEFICIAIRE/Nir/Num": query.own,
        "BENEFICIAIRE/DateNai": query.birth_date.replace("-", ""),
    }
    problems = []
    for place, value in asked.items():
        steps = "/".join(f"{{{CTXBAM}}}{step}" for step in ("COUVERTURE", *place.split("/")))
        on_card = (bam.findtext(steps) or "").strip().upper().replace("-", "")
        if on_card and value and on_card[: len(value)] != value:
            problems.append(
                Problem(
                    "INS-CARD-OTHER",
                    f"{path}/{place}",
                    "the body asks for someone else than the beneficiary of the card",
                    "the same value as in RECVITALE",
                    source="CNDA tests 1.02 and 1.03",
                )
            )
    return problems


def _problem(rule: str, name: str, message: str, expected: str) -> Problem:
    return Problem(rule, f"{FORM.path}/{name}", message, expected, source=SOURCE)


def _name(element: etree._Element) -> str:
    return str(element.tag).removeprefix(f"{{{REC_VIT}}}")
