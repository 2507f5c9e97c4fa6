"""Which acts are declared, and what may be said of each kind (spec: usage.md §12)."""

import re
from collections.abc import Iterable
from typing import Final, get_args

from services.usage.domain.measures import ActivityDomain, ActivityKind
from socle.ids.ins import has_valid_key
from socle.problems import Problem

KINDS: Final = get_args(ActivityKind)
DOMAINS: Final = get_args(ActivityDomain)
WITH_DOMAIN: Final = "report.validated"
FLAGS_OF: Final[dict[str, frozenset[str]]] = {
    "prescription.issued": frozenset({"eprescription"}),
    "prescription.discharge": frozenset({"eprescription"}),
    "fse.sent": frozenset({"apcv", "degraded", "paper"}),
}


def check_act(
    path: str,
    *,
    kind: str,
    domain: str | None,
    structure: str | None,
    professional: str | None,
    act_id: str,
    flags: frozenset[str],
    documents: Iterable[str] = (),
) -> list[Problem]:
    """What the fields say of each other; every one of them is well formed already."""
    problems = []
    if kind == WITH_DOMAIN and domain is None:
        problems.append(
            Problem("ACT-DOMAIN", f"{path}/domain", f"{kind} has no domain", ", ".join(DOMAINS))
        )
    if kind != WITH_DOMAIN and domain is not None:
        problems.append(
            Problem("ACT-DOMAIN", f"{path}/domain", f"{kind} is of no domain", "no domain")
        )
    if structure is None and professional is None:
        problems.append(
            Problem(
                "ACT-OWNER",
                f"{path}/structure",
                "nobody's act",
                "a structure, a professional or both",
            )
        )
    allowed = FLAGS_OF.get(kind, frozenset())
    problems += [
        Problem(
            "ACT-FLAG",
            f"{path}/flags",
            f"{flag} is no property of {kind}",
            ", ".join(sorted(allowed)) or "no flag",
        )
        for flag in sorted(flags - allowed)
    ]
    if len(flags & {"apcv", "degraded", "paper"}) > 1:
        problems.append(
            Problem(
                "ACT-FLAG", f"{path}/flags", "apcv, degraded and paper exclude each other",
                "one of them", source="mes.md §C",
            )
        )  # fmt: skip
    if names_a_person(act_id):
        problems.append(forbidden_data(f"{path}/act_id"))
    if any(names_a_person(it) for it in documents):
        problems.append(forbidden_data(f"{path}/documents"))
    return problems


# In groups or not, as people write it: between digits, one blank at most.
_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z])[1-478](?:[ \u00a0\u202f]?[0-9AB]){14}(?![0-9A-Za-z])"
)
_OID: Final = re.compile(r"(?<![0-9])[0-2](?:\.[0-9]+)+")


def holds_number_of_person(text: str) -> bool:
    """Somewhere in it, fifteen characters with the key of a NIR: no number of an act, but of a person."""
    return any(has_valid_key("".join(found.split())) for found in _NUMBER.findall(text))


def names_a_person(identifier: str) -> bool:
    """The same, save in the arcs of an OID, whose digits may have the key by chance."""
    return holds_number_of_person(_OID.sub(" ", identifier))


def forbidden_data(path: str) -> Problem:
    return Problem(
        "ACT-NIR",
        path,
        "reads like the number of a person, and nothing counted here may hold one",
        "an identifier of the software's own",
        source="mes.md §C",
    )
