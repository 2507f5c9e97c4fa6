"""The parameters of a stored query (ITI TF-2 §3.18.4.1.2.3): quoting, lists, coded values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from socle.problems import Problem
from socle.xds.document_entry import Coded
from socle.xds.ebrim import values_of
from socle.xds.names import QUERY, RIM

SOURCE = "ITI TF-2 §3.18.4.1.2.3"
_TIME = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}")
_BOUND = re.compile(r"\$XDS[A-Za-z]+Time(?:From|To)")
_VALUE = re.compile(r"\s*(?:'((?:[^']|'')*)'|(-?[0-9]+))\s*")


@dataclass(slots=True)
class StoredQuery:
    """`values` holds, by parameter, one group per slot: groups are joined by and, their members by
    or. `problems` holds everything that is wrong."""

    id: str
    leaf_class: bool
    values: Mapping[str, tuple[tuple[str, ...], ...]] = field(repr=False)
    problems: list[Problem] = field(default_factory=list)

    def groups(self, name: str) -> tuple[tuple[str, ...], ...]:
        return self.values.get(name, ())

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for group in self.groups(name) for value in group)

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def require(self, *names: str) -> None:
        """One of them at least; one that is there and cannot be read is told already."""
        if not any(name in self.values for name in names):
            self.problem(
                "XDSStoredQueryMissingParam", names[0], "it is missing", " or ".join(names)
            )

    def problem(self, rule: str, name: str, message: str, expected: str) -> None:
        self.problems.append(Problem(rule, name, message, expected, source=SOURCE))


def read_query(body: etree._Element) -> StoredQuery | None:
    """None when the body holds no query at all."""
    adhoc = body.find(f"{{{RIM}}}AdhocQuery")
    if body.tag != f"{{{QUERY}}}AdhocQueryRequest" or adhoc is None:
        return None
    option = body.find(f"{{{QUERY}}}ResponseOption")
    kind = "" if option is None else option.get("returnType", "")
    problems: list[Problem] = []
    values: dict[str, list[tuple[str, ...]]] = {}
    for slot in adhoc.iterchildren(f"{{{RIM}}}Slot"):
        name = slot.get("name", "")
        group = tuple(
            value for text in values_of(slot) for value in _read_value(name, text, problems)
        )
        if _BOUND.fullmatch(name):
            problems += [_no_time(name, value) for value in group if not _TIME.fullmatch(value)]
        values.setdefault(name, []).append(group)
    query = StoredQuery(
        adhoc.get("id", ""),
        kind != "ObjectRef",
        {name: tuple(groups) for name, groups in values.items()},
        problems,
    )
    if kind not in ("LeafClass", "ObjectRef", "LeafClassWithRepositoryItem"):
        query.problem("XDSRegistryError", "ResponseOption/@returnType", "another return type",
                      "LeafClass or ObjectRef")  # fmt: skip
    return query


def coded(text: str) -> Coded:
    """`code^^scheme`."""
    code, _, rest = text.partition("^")
    return Coded(code, rest.removeprefix("^"))


def matches_code(groups: Sequence[Sequence[str]], codes: Sequence[Coded]) -> bool:
    """Each group has a code that is there; the scheme counts where it is given."""
    return all(
        any(
            wanted.code == code.code and wanted.system in ("", code.system)
            for wanted in map(coded, group)
            for code in codes
        )
        for group in groups
    )


def within(value: str, start: str, end: str) -> bool:
    """From `start` on and before `end`; a value that is not there is in no period."""
    if not (start or end):
        return True
    padded = value.ljust(14, "0")
    return (
        bool(value) and start.ljust(14, "0") <= padded and (not end or padded < end.ljust(14, "0"))
    )


def like(groups: Sequence[Sequence[str]], values: Sequence[str]) -> bool:
    """SQL's LIKE, which author names are searched with: % and _."""
    return all(any(_is_like(value, one) for one in group for value in values) for group in groups)


def _is_like(value: str, pattern: str) -> bool:
    """Without a regular expression: one with many wildcards would keep the process busy for hours."""
    at, wanted, star, after = 0, 0, -1, 0
    while at < len(value):
        if wanted < len(pattern) and pattern[wanted] == "%":
            star, after = wanted, at
            wanted += 1
        elif wanted < len(pattern) and pattern[wanted] in ("_", value[at]):
            at, wanted = at + 1, wanted + 1
        elif star >= 0:  # the last % takes one more
            after += 1
            at, wanted = after, star + 1
        else:
            return False
    return not pattern[wanted:].strip("%")


def _no_time(name: str, value: str) -> Problem:
    return Problem(
        "XDSStoredQueryParamNumber", name, f"{value[:40]} is no time",
        "YYYY, YYYYMM and so on to YYYYMMDDhhmmss, UTC", source="ITI TF-3 §4.2.3.1.7",
    )  # fmt: skip


def _read_value(name: str, text: str, problems: list[Problem]) -> list[str]:
    """`'a'`, `('a','b')`, or a number; '' is a quote inside."""
    inner = text.strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    found: list[str] = []
    position = 0
    while position < len(inner):
        match = _VALUE.match(inner, position)
        if match is None:
            break
        found.append(match[2] if match[1] is None else match[1].replace("''", "'"))
        position = match.end()
        if position < len(inner):
            if inner[position] != ",":
                break
            position += 1
    else:
        if found:
            return found
    problems.append(
        Problem("XDSStoredQueryParamNumber", name[:80], "its value cannot be read",
                "'text', ('text','text') or a number", source=SOURCE)
    )  # fmt: skip
    return []
