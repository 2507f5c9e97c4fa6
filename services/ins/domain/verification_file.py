"""Reads a batch of verifications: CSV or JSON lines. A bad line never hinders the others.

The format is Socle's own (the contract of the real batches is not public).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.ins.domain.numbers import read_ins
from services.ins.domain.verification import Claim
from socle.ids.traits import Traits, check_traits
from socle.problems import Problem

CSV: Final = "text/csv"
JSON_LINES: Final = "application/x-ndjson"
COLUMNS: Final = (
    "reference", "oid", "matricule", "family_name", "given_names", "sex", "birth_date",
    "birth_place",
)  # fmt: skip
_OPTIONAL: Final = frozenset({"reference", "birth_place"})
_REQUIRED: Final = tuple(name for name in COLUMNS if name not in _OPTIONAL)
_MAX_REFERENCE: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1 in the file, its header included, as an editor shows it."""

    number: int
    reference: str
    claim: Claim | None
    problems: tuple[Problem, ...] = ()


class UnreadableFile(ValueError):
    """The file as a whole: no line can be told from another."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_file(content: bytes, media_type: str, most: int) -> list[Line]:
    """At most `most` lines; empty ones are passed over."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(
            "ENCODAGE", f"byte {error.start} is not UTF-8", "the file saved as UTF-8"
        ) from None
    lines: list[Line] = []
    for line in _lines(text, media_type):
        if len(lines) == most:
            raise _unreadable("TAILLE", f"more than {most} lines", f"at most {most}: split it")
        lines.append(line)
    if not lines:
        raise _unreadable("VIDE", "there is no line", "at least one identity")
    return lines


def _lines(text: str, media_type: str) -> Iterator[Line]:
    return _csv_lines(text) if media_type == CSV else _json_lines(text)


def _csv_lines(text: str) -> Iterator[Line]:
    """The header names the columns, in any order; comma, semicolon or tab separates.

    No value may hold the separator: INSi's alphabet has none of the three, and a quotation that is
    never closed would swallow the rest of the file.
    """
    header_line, *rest = text.split("\n")
    delimiter = max(",;\t", key=header_line.count)
    header = [name.lower() for name in _cells(header_line, delimiter)]
    _require_columns(header)
    for number, line in enumerate(rest, start=2):
        values = _cells(line, delimiter)
        if not any(values):
            continue
        if len(values) != len(header):
            message = f"{len(values)} columns instead of {len(header)}"
            yield Line(number, "", None, (_problem("COLONNES", "", message, "as the header"),))
            continue
        yield _line(number, dict(zip(header, values, strict=True)))


def _cells(line: str, delimiter: str) -> list[str]:
    return [_unquoted(cell) for cell in line.split(delimiter)]


def _require_columns(header: Sequence[str]) -> None:
    missing = [name for name in _REQUIRED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        told = [
            f"missing: {', '.join(missing)}" if missing else "",
            f"{len(unknown)} unknown" if unknown else "",
        ]
        message = "; ".join(part for part in told if part) or "a column is there twice"
        raise _unreadable("ENTETE", f"the header: {message}", ", ".join(COLUMNS))


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] == '"' else value


def _json_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            problem = _problem("JSON", "", "the line is no JSON", "one object a line")
            yield Line(number, "", None, (problem,))
            continue
        yield _object(number, value)


def _object(number: int, value: Any) -> Line:
    if not isinstance(value, dict):
        problem = _problem("JSON", "", "the line is no object", "one object a line")
        return Line(number, "", None, (problem,))
    reference = value.get("reference", "")
    shown = reference if isinstance(reference, str) else ""
    problems = [
        _problem("CHAMP", f"/{name}", "it is missing or no text", "a text")
        for name in COLUMNS
        if not isinstance(value.get(name, "" if name in _OPTIONAL else None), str)
    ]
    if set(value) - set(COLUMNS):
        problems.append(_problem("CHAMP", "", "a member is not known", ", ".join(COLUMNS)))
    if problems:
        return Line(number, shown[:_MAX_REFERENCE], None, tuple(problems))
    return _line(number, value)


def _line(number: int, values: Mapping[str, str]) -> Line:
    reference = values.get("reference", "")
    problems = []
    if len(reference) > _MAX_REFERENCE or "\0" in reference:
        problems.append(
            _problem("REFERENCE", "/reference", "too long, or not printable", "200 characters")
        )
        reference = ""
    traits = Traits(
        values["family_name"], values["given_names"], values["sex"], values["birth_date"],
        values.get("birth_place", ""),
    )  # fmt: skip
    ins, found = read_ins(values["oid"], values["matricule"])
    problems += [*found, *check_traits(traits)]
    if problems or ins is None:
        return Line(number, reference, None, tuple(problems))
    return Line(number, reference, Claim(ins.oid, ins.matricule, traits))


def _unreadable(rule: str, message: str, expected: str) -> UnreadableFile:
    return UnreadableFile(_problem(rule, "/", message, expected))


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(f"INS-LOT-{rule}", path, message, expected, source="Socle")
