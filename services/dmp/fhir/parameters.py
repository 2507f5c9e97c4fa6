"""How the parameters of a FHIR search are named: types of references, modifiers (FHIR R4 §3.1.1.4)."""

import re
from collections.abc import Container
from typing import Final

from socle.problems import Problem

_TYPE: Final = re.compile(r":(?:Patient|Practitioner|PractitionerRole)(?=\.|$)")
_SUBJECT: Final = re.compile(r"subject(?=[.:]|$)")
_BY_PATIENT: Final = ("patient.identifier", "patient:identifier")


def canonical(name: str, known: Container[str]) -> str:
    """The name under which a parameter is known here: `subject:Patient.identifier` is
    `patient.identifier`, since there are no other subjects."""
    if name in known:
        return name
    bare = _SUBJECT.sub("patient", _TYPE.sub("", name), count=1)
    return _BY_PATIENT[0] if bare in _BY_PATIENT else bare


def unsupported_modifier(
    name: str, kind: str, known: Container[str], source: str
) -> Problem | None:
    """Refused, as FHIR asks: without its modifier the parameter would mean something else."""
    base, colon, modifier = name.rpartition(":")
    if not colon or not (base in known or base in ("patient", *_BY_PATIENT)):
        return None
    return Problem(
        "MHD-SEARCH-MODIFIER", f"{kind}?{base}", f"the modifier :{modifier[:40]} is not supported",
        f"{base} without it", source=source,
    )  # fmt: skip


def is_met(name: str, value: str) -> bool:
    """Whether it asks for nothing but what every answer is: whole resources with their number, newest
    first, in the form that was negotiated before. Client libraries write these by themselves."""
    return name in ("_format", "_pretty", "_total") or (name, value) in (
        ("_summary", "false"),
        ("_sort", "-date"),
        ("_sort", "-creation"),
    )
