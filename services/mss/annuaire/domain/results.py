"""How the results of a search are to be given: pages, elements, what comes with them (FHIR R4 §3.1.1.5)."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.mss.annuaire.domain import refusals
from services.mss.annuaire.domain.parameters import INCLUDES, PARAMETERS, REVERSE_INCLUDES, Type
from socle.problems import Problem

DEFAULT_COUNT = 50  # guide v2: « Le service renvoie les 50 premiers résultats »
MAX_COUNT = 10_000  # the guide's own example asks for as many
RESULT_PARAMETERS = frozenset(
    {
        "_count", "_page_token", "_elements", "_include", "_revinclude", "_sort", "_total",
        "_summary", "_format", "_pretty",
    }
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_STORABLE = re.compile(r"[^\0\ud800-\udfff]{0,4000}")
MAX_SORTS = 4
SUMMARY = {
    "Practitioner": ("identifier", "active", "name", "telecom", "gender", "birthDate", "address"),
    "PractitionerRole": (
        "identifier", "active", "period", "practitioner", "organization", "code", "specialty",
        "location", "telecom",
    ),
    "Organization": ("identifier", "active", "type", "name", "partOf"),
    "HealthcareService": (
        "identifier", "active", "providedBy", "category", "type", "specialty", "location", "name",
        "comment", "photo",
    ),
    "Device": ("udiCarrier", "status"),
}  # fmt: skip
"""The elements that FHIR R4 marks Σ."""

_ORDERED = frozenset({"_id", "_lastUpdated"})
_ELEMENT = re.compile(r"[A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Include:
    """`kind`:`parameter`, or "*" for all; `iterated` goes on from what was included."""

    kind: str
    parameter: str
    iterated: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """`parameter` is `_id`, `_lastUpdated` or one that is a string."""

    parameter: str
    descending: bool = False


@dataclass(slots=True)
class Results:
    """`after` are the values that the last page ended with, its last id at the end."""

    count: int = DEFAULT_COUNT
    after: tuple[str, ...] | None = None
    sort: tuple[Sort, ...] = ()
    page_token: str = ""
    elements: tuple[str, ...] = ()
    summary: str = ""
    includes: list[Include] = field(default_factory=list)
    reverse: list[Include] = field(default_factory=list)
    total: str = ""
    only_count: bool = False

    def shown(self, kind: str) -> tuple[str, ...] | None:
        """The elements of a resource of this kind that are wanted; None for all. No resource has a
        narrative, which leaves nothing for `_summary=text` but what each has."""
        if self.elements:
            return self.elements
        if self.summary == "text":
            return ()
        return SUMMARY[kind] if self.summary == "true" else None


def page_token(last: Sequence[str]) -> str:
    """The last id; before it what the page was sorted by, and the type where a search is of several."""
    whole = last[0] if len(last) == 1 else json.dumps(list(last))
    return base64.urlsafe_b64encode(whole.encode()).decode().rstrip("=")


def read_page_token(token: str) -> tuple[str, ...] | None:
    """None for what is no token of ours."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        read = json.loads(found) if found.startswith("[") else [found]
    except (binascii.Error, ValueError, RecursionError):  # an UnicodeError is a ValueError
        return None
    if not read or not all(isinstance(one, str) and _STORABLE.fullmatch(one) for one in read):
        return None
    return tuple(read) if len(read) <= MAX_SORTS + 2 and _ID.fullmatch(read[-1]) else None


def read_result(results: Results, kind: str, name: str, value: str) -> Problem | None:
    plain, _, modifier = name.partition(":")
    match plain:
        case "_count":
            return _read_count(results, value)
        case "_page_token":
            results.page_token, results.after = value, read_page_token(value)
        case "_elements":
            results.elements = tuple(
                one for one in value.split(",") if _ELEMENT.fullmatch(one.strip())
            )
        case "_total":
            if value not in ("none", "estimate", "accurate"):
                return refusals.invalid_value(name, "not known", "none, estimate or accurate")
            results.total = value
        case "_summary":
            if value not in ("count", "true", "text", "data", "false"):
                return refusals.invalid_value(name, "not known", "true, text, data, count or false")
            results.only_count = value == "count"
            results.summary = value
        case "_sort":
            return _read_sort(results, kind, name, value)
        case "_include" | "_revinclude":
            return _read_include(results, kind, plain, modifier, value)
    return None


def _read_sort(results: Results, kind: str, name: str, value: str) -> Problem | None:
    """By strings, `_id` and `_lastUpdated`; a code or a reference has no order that anybody reads."""
    known = PARAMETERS[kind]
    valid = [it.name for it in known.values() if it.type is Type.STRING or it.name in _ORDERED]
    asked = [one.strip() for one in value.split(",")]
    sorts = [Sort(one.removeprefix("-"), one.startswith("-")) for one in asked]
    for one in sorts:
        if one.parameter not in known:
            return refusals.unknown_sort(one.parameter, kind, valid)
        if one.parameter not in valid:
            return refusals.invalid_value(name, f"cannot sort by {one.parameter}", ", ".join(valid))
    if (
        name != "_sort"
        or len({it.parameter for it in sorts}) < len(sorts)
        or len(sorts) > MAX_SORTS
    ):
        return refusals.invalid_value(
            name, "not supported", f"_sort with up to {MAX_SORTS} parameters, each once"
        )
    results.sort = tuple(sorts)
    return None


def _read_count(results: Results, value: str) -> Problem | None:
    # Nine digits are beyond any page, and short enough for int() whatever a client sends.
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        return refusals.invalid_value("_count", "no page size", f"0 to {MAX_COUNT}")
    results.count = min(int(value), MAX_COUNT)
    results.only_count = results.only_count or results.count == 0
    return None


def _read_include(
    results: Results, kind: str, plain: str, modifier: str, value: str
) -> Problem | None:
    """`:iterate` may start from any kind, as what it starts from may be included itself."""
    table = INCLUDES if plain == "_include" else REVERSE_INCLUDES
    iterated = modifier in ("iterate", "recurse")
    if modifier and not iterated:
        return refusals.invalid_value(f"{plain}:{modifier}"[:80], "not supported", ":iterate")
    valid = [one for names in table.values() for one in names] if iterated else [*table[kind]]
    wanted = results.includes if plain == "_include" else results.reverse
    if value == "*":
        named = valid
    else:
        named = [":".join(value.split(":")[:2])]  # a third part would name the target
        if named[0] not in valid:
            return refusals.invalid_include(plain, value, ["*", *valid])
    for one in named:
        of, _, parameter = one.partition(":")
        wanted.append(Include(of, parameter, iterated))
    return None
