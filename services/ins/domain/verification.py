"""Does an INS go with these traits? OK or KO (spec: ins.md §4.2, §10.6).

The contract of the real verification (WS_INS3 to WS_INS5) is not public, so the comparison is
derived: the INS must be the active one, and every trait that is given must agree. A former INS is
KO. The real service tells nothing of why; `differs` is the sandbox's own help, names and no values.
"""

from dataclasses import dataclass, field

from services.ins.domain.person import Person
from socle.ids.traits import Traits, fold, starts_list


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caller holds of a patient. `matricule` has 13 characters."""

    oid: str
    matricule: str = field(repr=False)
    traits: Traits

    @property
    def number(self) -> tuple[str, str]:
        return self.oid, self.matricule


@dataclass(frozen=True, slots=True)
class Verdict:
    differs: tuple[str, ...] = ()

    @property
    def confirmed(self) -> bool:
        return not self.differs

    @property
    def code(self) -> str:
        return "OK" if self.confirmed else "KO"


def verify(claim: Claim, holder: Person | None) -> Verdict:
    """`holder` is whose active INS the claim names, if anybody's."""
    if holder is None:
        return Verdict(("ins",))
    asked, held = claim.traits, holder.traits
    names = {fold(name) for name in (held.family_name, *holder.other_family_names)}
    agreements = {
        "family_name": fold(asked.family_name) in names,
        "given_names": starts_list(asked.given_names, held.given_names),
        "sex": asked.sex == held.sex,
        "birth_date": asked.birth_date == held.birth_date,
        "birth_place": asked.birth_place in ("", held.birth_place),
    }
    return Verdict(tuple(name for name, agrees in agreements.items() if not agrees))
