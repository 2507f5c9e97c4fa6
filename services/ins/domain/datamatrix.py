"""The text of the INS datamatrix (ANS « Format datamatrix INS » v2.2, at second hand: ins.md §7).

A header, then fields of a two-character identifier and a value. A field of variable length ends with
GS (ASCII 29) unless it is the last or is as long as it may be. There is no signature: a reader trusts
nothing but the person who holds the paper.
"""

import re
from dataclasses import dataclass
from typing import Final

from services.ins.domain.numbers import read_ins
from services.ins.domain.person import RegisteredIns
from socle.ids.traits import Traits, check_traits
from socle.problems import Problem

HEADER: Final = "IS01" + "0" * 22
GS: Final = "\x1d"
SOURCE: Final = "ANS, Format datamatrix INS v2.2.20230926"
# What scanners may send first: the symbology of ISO/IEC 15424.
_SYMBOLOGY: Final = re.compile(r"^\](?:d[0-6])")
_MAX_TEXT: Final = 2048


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    pattern: str
    expected: str
    mandatory: bool = True

    @property
    def is_fixed(self) -> bool:
        return self.least == self.most


_FIELDS: Final = {
    "S1": _Field("matricule", 15, 15, r"[0-9A-B]{15}", "15 characters, with the key"),
    "S2": _Field("oid", 19, 20, r"[0-9.]{19,20}", "the OID of an INS"),
    "S3": _Field("given_names", 1, 100, r"[A-Z' -]+", "A to Z, space, hyphen, apostrophe"),
    "S4": _Field("family_name", 1, 100, r"[A-Z' -]+", "A to Z, space, hyphen, apostrophe"),
    "S5": _Field("sex", 1, 1, r"[MF]", "M or F"),
    "S6": _Field("birth_date", 10, 10, r"[0-9]{2}-[0-9]{2}-[0-9]{4}", "JJ-MM-AAAA"),
    "S7": _Field("birth_place", 5, 5, r"[0-9A-Z]{5}", "COG", mandatory=False),
}


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a datamatrix says."""

    traits: Traits
    ins: RegisteredIns


def encode(traits: Traits, ins: RegisteredIns) -> str:
    """Callers have checked the traits; a place is left out where it is not known."""
    year, month, day = traits.birth_date.split("-")
    values = {
        "S1": ins.matricule + ins.key,
        "S2": ins.oid,
        "S3": traits.given_names,
        "S4": traits.family_name,
        "S5": traits.sex,
        "S6": f"{day}-{month}-{year}",
        "S7": traits.birth_place,
    }
    present = [(code, value) for code, value in values.items() if value]
    last = present[-1][0]
    return HEADER + "".join(
        code + value + _end(_FIELDS[code], value, is_last=code == last) for code, value in present
    )


def _end(field: _Field, value: str, *, is_last: bool) -> str:
    return "" if is_last or field.is_fixed or len(value) == field.most else GS


def decode(text: str) -> tuple[Scanned | None, list[Problem]]:
    """What was scanned, or everything that is wrong with it. A scanner's symbology prefix may stay."""
    text = _SYMBOLOGY.sub("", text)
    if len(text) > _MAX_TEXT:
        return None, [_problem("LONGUEUR", "", "it is too long", f"at most {_MAX_TEXT} characters")]
    if not text.startswith(HEADER):
        return None, [_problem("ENTETE", "", "the header is another", HEADER)]
    values, problems = _read_fields(text[len(HEADER) :])
    problems += [
        _problem("CHAMP", code, "it is missing", f"{code}, {field.name}")
        for code, field in _FIELDS.items()
        if field.mandatory and code not in values
    ]
    if problems:
        return None, problems
    day, month, year = values["S6"].split("-")
    traits = Traits(
        values["S4"], values["S3"], values["S5"], f"{year}-{month}-{day}", values.get("S7", "")
    )
    ins, problems = read_ins(values["S2"], values["S1"])
    problems += check_traits(traits)
    return (None, problems) if problems or ins is None else (Scanned(traits, ins), [])


def _read_fields(rest: str) -> tuple[dict[str, str], list[Problem]]:
    """Stops at the first field of which the end cannot be known."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    while rest:
        code, field = rest[:2], _FIELDS.get(rest[:2])
        if field is None:
            known = ", ".join(_FIELDS)
            shown = code if code.isascii() and code.isalnum() else "?"
            return values, [*problems, _problem("CHAMP", shown, "no such field", known)]
        value, rest, superfluous = _cut(rest[2:], field)
        if superfluous:
            problems.append(
                _problem("SEPARATEUR", code, "GS follows a field that needs none", "no GS here")
            )
        if code in values:
            problems.append(_problem("CHAMP", code, "it is there twice", "once"))
        if len(value) < field.least or not re.fullmatch(field.pattern, value):
            problems.append(_problem("VALEUR", code, f"no {field.name}", field.expected))
        values[code] = value
    return values, problems


def _cut(rest: str, field: _Field) -> tuple[str, str, bool]:
    """The value, what follows it, and whether a separator stands where none belongs."""
    value, separator, _ = rest[: field.most + 1].partition(GS)
    value = value[: field.most]
    after = rest[len(value) :]
    if not separator:
        return value, after, False
    needed = not field.is_fixed and len(value) < field.most and len(after) > 1
    return value, after[1:], not needed


def _problem(rule: str, code: str, message: str, expected: str) -> Problem:
    return Problem(f"INS-DATAMATRIX-{rule}", f"/{code}", message, expected, source=SOURCE)
