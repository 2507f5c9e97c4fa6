"""Struct_IdNat, the national identifier of a structure: a type digit, then the number.

Source: CI-SIS structuration minimale v1.16.7, spec: PSC §5.5 for the technical identifiers.
"""

import re
from dataclasses import dataclass
from typing import Final

from socle.ids.luhn import passes_luhn

LA_POSTE_SIREN: Final = "356000000"

_FINESS: Final = re.compile(r"[0-9][0-9AB][0-9]{7}")
_SIREN: Final = re.compile(r"[0-9]{9}")
_SIRET: Final = re.compile(r"[0-9]{14}")
_RPPS_RANK: Final = re.compile(r"[0-9]{11}[0-9]{2,3}")
_ADELI_RANK: Final = re.compile(r"[0-9][0-9AB][0-9]{9}")

_PREFIXES: Final = {
    "1": ("finess", _FINESS),
    "2": ("siren", _SIREN),
    "3": ("siret", _SIRET),
    "4": ("rpps-rang", _RPPS_RANK),
}


@dataclass(frozen=True, slots=True)
class StructureId:
    """`kind` is lower-case: "finess", "siren", "siret", "rpps-rang" or "adeli-rang"."""

    kind: str
    number: str

    @property
    def idnat(self) -> str:
        """The Struct_IdNat that documents and VIHF carry."""
        if self.kind == "adeli-rang":
            return "0" + self.number
        return (
            next(digit for digit, (kind, _) in _PREFIXES.items() if kind == self.kind) + self.number
        )

    @property
    def is_valid(self) -> bool:
        """True when the number's own check digit holds, where the kind has one."""
        check = {"finess": is_valid_finess, "siren": is_valid_siren, "siret": is_valid_siret}
        return check.get(self.kind, bool)(self.number)


def is_valid_finess(finess: str) -> bool:
    """Nine characters, Luhn key last.

    Corsica (2A, 2B) and the fictive numbers of the ANS (a digit then B) hold a letter for which no
    key rule is published: their form alone is checked.
    """
    if not _FINESS.fullmatch(finess):
        return False
    return finess[1] in "AB" or passes_luhn(finess)


def is_valid_siren(siren: str) -> bool:
    return bool(_SIREN.fullmatch(siren)) and passes_luhn(siren)


def is_valid_siret(siret: str) -> bool:
    """Luhn; the establishments of La Poste ran out of Luhn numbers and sum to a multiple of five."""
    if not _SIRET.fullmatch(siret):
        return False
    if siret.startswith(LA_POSTE_SIREN):
        return passes_luhn(siret) or sum(map(int, siret)) % 5 == 0
    return passes_luhn(siret)


def parse_struct_idnat(value: str) -> StructureId | None:
    """Kind and number, None when the form is wrong. Keys are not checked here: see `is_valid`.

    Type 0 is older: followed by nine characters it is a FINESS, by eleven the rank of a practice
    under an ADELI number (the latter from memory, unconfirmed).
    """
    prefix, number = value[:1], value[1:]
    if prefix == "0":
        if _FINESS.fullmatch(number):
            return StructureId("finess", number)
        return StructureId("adeli-rang", number) if _ADELI_RANK.fullmatch(number) else None
    kind, form = _PREFIXES.get(prefix, ("", _SIREN))
    return StructureId(kind, number) if kind and form.fullmatch(number) else None


def parse_technical_id(value: str) -> StructureId | None:
    """PSC's SubjectOrganizationID: F + FINESS, C + SIRET; R + rank has no national number."""
    prefix, number = value[:1], value[1:]
    if prefix == "F" and _FINESS.fullmatch(number):
        return StructureId("finess", number)
    if prefix == "C" and _SIRET.fullmatch(number):
        return StructureId("siret", number)
    return None
