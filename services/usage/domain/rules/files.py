"""Reading rule files, strictly: those that Socle ships, and those that a space brings."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.usage.domain.rules.book import RuleBook
from services.usage.domain.rules.programme import SCHEMA, Programme
from socle.problems import Problem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same rules, in C where it is built
RULES_FOLDER = Path(__file__).parent.parent.parent / "rules"


class RuleFileRefused(Exception):
    """A rule file that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems


def load(path: Path) -> Programme:
    """Raises yaml.YAMLError and pydantic.ValidationError."""
    return load_book(path).programme


def load_book(path: Path) -> RuleBook:
    return RuleBook(yaml.load(path.read_bytes(), Loader=_LOADER))  # noqa: S506 (a safe loader)


@cache
def shipped() -> Mapping[str, RuleBook]:
    """By programme, in the order of their names."""
    books = [load_book(path) for path in sorted(RULES_FOLDER.glob("*.yaml"))]
    return {book.programme.programme: book for book in books}


def sun_es() -> Programme:
    return shipped()["sun-es-volet-1"].programme


def read_book(text: bytes, expected: str) -> RuleBook:
    """A space's own file, YAML or JSON, for the programme that is `expected`.

    Raises RuleFileRefused with every problem.
    """
    try:
        raw = _plain(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _refused(
            "RULES-SYNTAX", "/", _first_line(error), "one YAML or JSON document"
        ) from error
    try:
        book = RuleBook(raw)
    except ValidationError as error:
        raise RuleFileRefused(list(_problems(error))) from error
    except (ValueError, RecursionError) as error:
        raise _refused("RULES-OPTION", "/options", _first_line(error), "") from error
    if book.programme.programme != expected:
        raise _refused(
            "RULES-NAME", "/programme", f"the file is of {book.programme.programme}", expected
        )
    return book


def json_schema() -> dict[str, Any]:
    """The form of a rule file as JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:socle:usage:rules:{SCHEMA}",
        "title": "Socle usage rule file",
        **Programme.model_json_schema(by_alias=True),
    }


def _plain(text: bytes) -> Any:
    """What JSON can hold and PostgreSQL can keep, whichever of the two forms it came in."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_LOADER)):
        # By aliases a short text stands for a huge one.
        raise ValueError(
            "aliases are refused here; GET /usage/rules/{programme} gives a file without them"
        )
    _refuse_repeated(yaml.compose(text, Loader=_LOADER))
    raw = yaml.load(text, Loader=_LOADER)  # noqa: S506 (a safe loader)
    shown = json.dumps(raw, default=_iso, allow_nan=False, ensure_ascii=False)
    shown.encode()  # a lone surrogate is no text
    return json.loads(shown)


def _refuse_repeated(root: yaml.Node | None) -> None:
    """A name that stands twice in a mapping: YAML would take the last one in silence."""
    waiting: list[tuple[str, yaml.Node | None]] = [("", root)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += [(f"{path}/{place}", it) for place, it in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            names = set[str]()
            for key, value in node.value:
                name = str(key.value)
                if name in names:
                    line = key.start_mark.line + 1
                    raise RuleFileRefused(
                        [
                            Problem(
                                "RULES-TWICE", f"{path}/{name}"[:300],
                                f"line {line}: the name is there twice", "once",
                            )
                        ]
                    )  # fmt: skip
                names.add(name)
                waiting.append((f"{path}/{name}", value))


def _iso(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no place in a rule file")


def _problems(error: ValidationError) -> Iterator[Problem]:
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        path = "".join(f"/{part}" for part in _place(found["loc"])) or "/"
        yield Problem("RULES-FORM", path, found["msg"], source="GET /usage/rules/schema")


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Of a pointer into the file: pydantic names the form that was chosen as well, after money and a
    measure."""
    match loc:
        case ("money", _, *rest):
            return ("money", *rest)
        case ("indicators", code, "seen_by", _, *rest):
            return ("indicators", code, "seen_by", *rest)
        case ("indicators", code, side, "measure", _, "types", *_):
            return ("indicators", code, side, "measure", "types")  # codes, or `any`: told of each
        case ("indicators", code, side, "measure", _, *rest):
            return ("indicators", code, side, "measure", *rest)
    return loc


def _refused(rule: str, path: str, message: str, expected: str) -> RuleFileRefused:
    return RuleFileRefused([Problem(rule, path, message, expected)])


def _first_line(error: BaseException) -> str:
    """With its place, where it has one."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        said = getattr(error, "problem", None) or getattr(error, "context", None) or "unreadable"
        return f"line {mark.line + 1}, column {mark.column + 1}: {said}"[:300]
    return (str(error).splitlines() or ["unreadable"])[0][:300]
