"""How alike a record is to whom is sought: the score of Patient/$match.

The weights are Socle's own (FHIR leaves them to the server). An INS that is the same is the person;
without one, only five traits that agree are certain, as INSi itself answers 00 on them.
"""

from dataclasses import dataclass, field
from typing import Final

from services.ins.domain.identity import Identity
from socle.ids.traits import fold, starts_list

_WEIGHTS: Final = {
    "family_name": 0.30,
    "given_names": 0.20,
    "birth_date": 0.30,
    "sex": 0.05,
    "birth_place": 0.15,
}
_GRADES: Final = (("certain", 1.0), ("probable", 0.75), ("possible", 0.5))


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of somebody; empty where it is not. `ins` is (OID, matricule)."""

    family_name: str = field(default="", repr=False)
    given_names: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_place: str = field(default="", repr=False)
    ins: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def can_be_looked_up(self) -> bool:
        return bool(self.ins or self.birth_date or fold(self.family_name))


def likeness(sought: Sought, record: Identity) -> float:
    """From 0 to 1, two decimals; what is not known of who is sought neither helps nor is forgiven."""
    ins = record.ins if record.state.may_carry_ins else None
    if sought.ins and ins is not None:
        return 1.0 if sought.ins == (ins.oid, ins.matricule) else 0.0
    held = record.traits
    agreements = {
        "family_name": fold(sought.family_name) == fold(held.family_name),
        "given_names": starts_list(sought.given_names, held.given_names),
        "birth_date": sought.birth_date == held.birth_date,
        "sex": sought.sex == held.sex,
        "birth_place": bool(held.birth_place) and sought.birth_place == held.birth_place,
    }
    return round(sum(_WEIGHTS[name] for name, agrees in agreements.items() if agrees), 2)


def grade(score: float) -> str | None:
    """A code of http://terminology.hl7.org/CodeSystem/match-grade; None is no match."""
    return next((name for name, least in _GRADES if score >= least), None)
