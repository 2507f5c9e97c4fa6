"""PS_IdNat, the national identifier of a professional: a type digit, then the number.

Source: NOS TRE_G08 (OID 1.2.250.1.71.1.2.15), CI-SIS structuration minimale v1.16.7.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from socle.ids.luhn import passes_luhn

RPPS_LENGTH: Final = 11
ADELI_LENGTH: Final = 9

# Types 1 and 3 to 6 name an employee by a register number inside a structure, after a slash.
_KINDS: Final = {
    "0": "adeli",
    "1": "adeli-cabinet",
    "3": "finess",
    "4": "siren",
    "5": "siret",
    "6": "rpps-cabinet",
    "8": "rpps",
}
_FORMS: Final = {
    "adeli": re.compile(r"[0-9][0-9AB][0-9]{7}"),
    "adeli-cabinet": re.compile(r"[0-9AB]+/\S+"),
    "finess": re.compile(r"[0-9][0-9AB][0-9]{7}/\S+"),
    "siren": re.compile(r"[0-9]{9}/\S+"),
    "siret": re.compile(r"[0-9]{14}/\S+"),
    "rpps-cabinet": re.compile(r"[0-9]+/\S+"),
    "rpps": re.compile(r"[0-9]{11}"),
}


@dataclass(frozen=True, slots=True)
class ProfessionalId:
    """`kind` is lower-case: "rpps", "adeli", or the register that an employee belongs to."""

    kind: str
    number: str = field(repr=False)

    @property
    def idnat(self) -> str:
        prefix = next(digit for digit, kind in _KINDS.items() if kind == self.kind)
        return prefix + self.number


def is_valid_rpps(rpps: str) -> bool:
    """Eleven digits, the last of them a Luhn key."""
    return len(rpps) == RPPS_LENGTH and passes_luhn(rpps)


def is_valid_adeli(adeli: str) -> bool:
    """Form only: department (2A and 2B included), profession and rank; no key is published."""
    return bool(_FORMS["adeli"].fullmatch(adeli))


def parse_idnat(idnat: str) -> ProfessionalId | None:
    """Type and number of a PS_IdNat; None when the form is wrong. Keys are not checked here."""
    kind = _KINDS.get(idnat[:1])
    if kind is None or not _FORMS[kind].fullmatch(idnat[1:]):
        return None
    return ProfessionalId(kind, idnat[1:])


def rpps_from_idnat(idnat: str) -> str | None:
    """The RPPS of "8…"; None for every other identifier, and for a wrong key."""
    parsed = parse_idnat(idnat)
    if parsed is None or parsed.kind != "rpps" or not is_valid_rpps(parsed.number):
        return None
    return parsed.number


def idnat_of_rpps(rpps: str) -> str:
    return "8" + rpps
