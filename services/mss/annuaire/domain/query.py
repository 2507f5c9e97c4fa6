"""Reads the parameters of a search into criteria; every problem is collected.

A parameter that is given twice must hold twice, values between commas are alternatives, and a backslash
takes the meaning from comma, bar, dollar and itself (FHIR R4 §3.1.1.3, §3.1.1.4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.mss.annuaire.domain import index, refusals
from services.mss.annuaire.domain.dates import Range, read_date
from services.mss.annuaire.domain.parameters import ALIASES, PARAMETERS, TARGETS, Parameter, Type
from services.mss.annuaire.domain.results import RESULT_PARAMETERS, Results, read_result
from services.mss.annuaire.domain.systems import MAILBOX_TYPE, MESSAGING
from socle.problems import Problem

MAX_VALUES = 1000
MAX_CRITERIA = 100
MAX_TEXTS = 100
"""Texts and addresses in one search: each is looked for among all."""

MAX_LINKS = 3
"""Of a chain; each is a search of its own."""

STRING_MODIFIERS = ("contains", "exact", "text")
_UNESCAPED = re.compile(r"\\(.)")
_CHAIN = re.compile(r"([a-z-]+)(?::([A-Za-z]+))?\.(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One of these keys is (or is not) among the resource's."""

    keys: tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """One of the values begins, is contained in, or is the text; `text` wants each of its words."""

    name: str
    mode: str
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ids:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """Its address: modes as for Texts."""

    mode: str
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailboxTypes:
    kinds: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class HasMailbox:
    wanted: bool


@dataclass(frozen=True, slots=True)
class Chained:
    """What the reference leads to meets the criterion (FHIR R4 §3.1.1.4.3)."""

    parameter: str
    target: str
    criterion: "Criterion"


@dataclass(frozen=True, slots=True)
class Referred:
    """A resource that refers here by this parameter meets the criterion (`_has`, §3.1.1.4.4)."""

    kind: str
    parameter: str
    criterion: "Criterion"


Criterion = (
    Tokens | Texts | Ids | Updated | Mailboxes | MailboxTypes | HasMailbox | Chained | Referred
)


@dataclass(slots=True)
class Search:
    """`applied` are the parameters that count, for the links."""

    space: str
    kind: str
    now: datetime
    as_in_production: bool = False
    criteria: list[Criterion] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    applied: list[tuple[str, str]] = field(default_factory=list, repr=False)
    problems: list[Problem] = field(default_factory=list)

    @property
    def valid(self) -> list[str]:
        return [
            name
            for name, one in PARAMETERS[self.kind].items()
            if not (self.as_in_production and one.type is Type.MAILBOX_TYPE)
        ]


def read_search(search: Search, parameters: Sequence[tuple[str, str]]) -> Search:
    if len(parameters) > MAX_CRITERIA:
        search.problems.append(
            refusals.invalid_value("", "too many parameters", f"at most {MAX_CRITERIA}")
        )
        return search
    for name, value in parameters:
        if "\0" in value or "\0" in name:  # which PostgreSQL cannot hold, hence cannot compare
            search.problems.append(
                refusals.invalid_value(name.replace("\0", ""), "a NUL character", "text without it")
            )
        elif value:  # HAPI passes over a parameter without a value
            _read(search, name, value)
    asked = [_innermost(one) for one in search.criteria]
    texts = [len(one.values) for one in asked if isinstance(one, Texts | Mailboxes)]
    if sum(texts) > MAX_TEXTS:
        search.problems.append(
            refusals.invalid_value("", "too many texts to look for", f"at most {MAX_TEXTS}")
        )
    return search


def _read(search: Search, name: str, value: str) -> None:
    if name.partition(":")[0] in RESULT_PARAMETERS:
        problem = read_result(search.results, search.kind, name, value)
        search.problems += [problem] if problem else []
    else:
        _read_criterion(search, name, value)
    search.applied.append((name, value))


def _innermost(criterion: Criterion) -> Criterion:
    while isinstance(criterion, Chained | Referred):
        criterion = criterion.criterion
    return criterion


def _read_criterion(search: Search, name: str, value: str, links: int = 0) -> None:
    chain = _CHAIN.fullmatch(name)
    if name.startswith("_has:"):
        _read_referred(search, name, value, links)
        return
    if chain is not None:
        _read_chained(search, name, chain, value, links)
        return
    plain, _, modifier = ALIASES.get((search.kind, name), name).partition(":")
    parameter = PARAMETERS[search.kind].get(plain)
    if parameter is None or plain not in search.valid:
        search.problems.append(
            refusals.unknown_parameter(
                plain, search.kind, search.valid, as_in_production=search.as_in_production
            )
        )
        return
    values = _split(value, ",")
    if len(values) > MAX_VALUES:
        search.problems.append(
            refusals.invalid_value(name, "too many values", f"at most {MAX_VALUES}")
        )
        return
    found = (
        _missing(search, parameter, value)
        if modifier == "missing"
        else _criterion(search, parameter, modifier, [one for one in values if one])
    )
    if isinstance(found, Problem):
        search.problems.append(found)
    else:
        search.criteria.append(found)


def _read_chained(
    search: Search, name: str, chain: "re.Match[str]", value: str, links: int
) -> None:
    """`organization.name`, `practitioner:Practitioner.family`."""
    target = TARGETS.get((search.kind, chain[1]))
    if target is None:
        search.problems.append(
            refusals.unknown_parameter(
                name, search.kind, search.valid, as_in_production=search.as_in_production
            )
        )
    elif chain[2] not in (None, target):
        search.problems.append(_no_modifier(chain[1], chain[2], f":{target}"))
    else:
        for inner in _inner(search, name, target, chain[3], value, links):
            search.criteria.append(Chained(chain[1], target, inner))


def _read_referred(search: Search, name: str, value: str, links: int) -> None:
    """`_has:PractitionerRole:practitioner:role`."""
    parts = name.split(":", 3)
    if len(parts) < 4 or TARGETS.get((parts[1], parts[2])) != search.kind:
        valid = [f"{of}:{by}" for (of, by), to in TARGETS.items() if to == search.kind]
        search.problems.append(
            refusals.invalid_value(
                name, "no reference leads here by this name",
                ", ".join(f"_has:{one}:<parameter>" for one in valid) or "no _has",
            )
        )  # fmt: skip
        return
    for inner in _inner(search, name, parts[1], parts[3], value, links):
        search.criteria.append(Referred(parts[1], parts[2], inner))


def _inner(
    search: Search, name: str, kind: str, rest: str, value: str, links: int
) -> list[Criterion]:
    """What stands at the end of the chain; its problems are the search's."""
    if links >= MAX_LINKS:
        search.problems.append(
            refusals.invalid_value(name, "too long a chain", f"at most {MAX_LINKS} links")
        )
        return []
    inner = Search(search.space, kind, search.now, search.as_in_production)
    _read_criterion(inner, rest, value, links + 1)
    search.problems += inner.problems
    return inner.criteria


def _criterion(
    search: Search, parameter: Parameter, modifier: str, values: list[str]
) -> Criterion | Problem:
    name = parameter.name
    if parameter.type in (Type.STRING, Type.MAILBOX):
        if modifier not in ("", *STRING_MODIFIERS):
            return _no_modifier(name, modifier, ", ".join(f":{one}" for one in STRING_MODIFIERS))
        texts = tuple(_unescaped(one) for one in values)
        if parameter.type is Type.MAILBOX:
            return Mailboxes(modifier, tuple(text.lower() for text in texts))
        return Texts(name, modifier, texts)
    if name == "_id":
        return Ids(tuple(values)) if not modifier else _no_modifier(name, modifier, ":missing")
    if parameter.type is Type.DATE:
        return _updated(search, name, modifier, values)
    if parameter.type is Type.MAILBOX_TYPE:
        return _mailbox_types(name, modifier, values)
    if parameter.type is Type.REFERENCE:
        target = TARGETS[search.kind, name]
        if modifier not in ("", target):
            return _no_modifier(name, modifier, f":{target}")
        return Tokens(tuple(_reference_key(search, name, target, one) for one in values))
    if name == "identifier" and modifier == "of-type":
        return _of_type(search, values)
    if modifier not in ("", "not"):
        return _no_modifier(name, modifier, ":not, :missing")
    keys = tuple(_token_key(search, parameter, one) for one in values)
    return Tokens(keys, negated=modifier == "not")


def _missing(search: Search, parameter: Parameter, value: str) -> Criterion | Problem:
    if value not in ("true", "false"):
        return refusals.invalid_value(f"{parameter.name}:missing", "no boolean", "true or false")
    missing = value == "true"
    if parameter.type in (Type.MAILBOX, Type.MAILBOX_TYPE):
        return HasMailbox(not missing)
    if parameter.values is None:  # every resource has an id and a date
        return Ids(()) if missing else Updated((Range(),))
    keys = (index.present(search.space, search.kind, parameter.name),)
    return Tokens(keys, negated=missing)


def _token_key(search: Search, parameter: Parameter, value: str) -> int:
    parts = _split(value, "|") if parameter.type is Type.TOKEN else [value]
    system = _unescaped(parts[0]) if len(parts) > 1 else None
    code: str | None = _unescaped("|".join(parts[1:] if len(parts) > 1 else parts))
    if parameter.name == "active" and code:
        code = code.lower()
    return index.key(search.space, search.kind, parameter.name, system, code or None)


def _of_type(search: Search, values: list[str]) -> Criterion | Problem:
    keys = []
    for one in values:
        parts = [_unescaped(part) for part in _split(one, "|")]
        if len(parts) != 3:
            return refusals.invalid_value("identifier:of-type", "it has not three parts", "system|code|value")  # fmt: skip
        system, code, value = parts
        keys.append(index.of_type(search.space, search.kind, system or None, code, value))
    return Tokens(tuple(keys))


def _reference_key(search: Search, name: str, target: str, value: str) -> int:
    """`Organization/1`, `1`, or the whole address."""
    parts = _unescaped(value).split("/")
    kind = parts[-2] if len(parts) > 1 else target
    return index.key(search.space, search.kind, name, None, f"{kind}/{parts[-1]}")


def _updated(search: Search, name: str, modifier: str, values: list[str]) -> Criterion | Problem:
    if modifier:
        return _no_modifier(name, modifier, ":missing")
    ranges = []
    for one in values:
        found = read_date(one, search.now)
        if found is None:
            return refusals.invalid_value(
                name, f'Invalid date/time format: "{one[:40]}"',
                "a prefix (eq, ne, gt, lt, ge, le, sa, eb, ap) and yyyy, yyyy-MM-dd or a whole date",
            )  # fmt: skip
        ranges.append(found)
    return Updated(tuple(ranges))


def _mailbox_types(name: str, modifier: str, values: list[str]) -> Criterion | Problem:
    """Both code systems are taken for the types: the guide writes R256, the data R257."""
    if modifier not in ("", "not"):
        return _no_modifier(name, modifier, ":not, :missing")
    kinds = []
    for one in values:
        system, bar, code = one.rpartition("|")
        if not bar or system in (MAILBOX_TYPE, MESSAGING):
            kinds.append(code)
    return MailboxTypes(tuple(kinds), negated=modifier == "not")


def _no_modifier(name: str, modifier: str, expected: str) -> Problem:
    return refusals.invalid_value(
        f"{name}:{modifier}", f'the modifier ":{modifier[:40]}" is not supported for "{name}"',
        expected,
    )  # fmt: skip


def _split(value: str, separator: str) -> list[str]:
    """At each separator that no backslash precedes; the backslashes stay."""
    parts: list[str] = []
    current: list[str] = []
    escaped = False
    for char in value:
        if char == separator and not escaped:
            parts.append("".join(current))
            current = []
            continue
        escaped = char == "\\" and not escaped
        current.append(char)
    return [*parts, "".join(current)]


def _unescaped(value: str) -> str:
    return _UNESCAPED.sub(r"\1", value)
