"""A CSV file of acts, record by record: `;`, `,` or tabs, a header first (spec: RFC 4180).

Columns in any order, under their names or synonyms (activity_cells.py). Several values in one cell
stand between spaces. A record may run over several lines where a cell holds line breaks.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from services.usage.domain.activity_cells import (
    COLUMNS,
    EXPECTED,
    NOT_COMPUTED,
    REQUIRED,
    as_text,
    column_of,
    is_formula,
    value_of,
)
from socle.problems import Problem

DELIMITERS: Final = (";", ",", "\t")
MAX_LINE: Final = 16_384
"""Characters of a record."""
MAX_BREAKS: Final = 20
"""Line breaks in the cells of one record: quotes that never end must not swallow the file."""
SOURCE: Final = "services/usage/README.md, CSV"
# What a decoder leaves where bytes were no text: a surrogate, or the mark of UTF-16's.
_UNDECODED: Final = re.compile("[\udc80-\udcff\ufffd]")
_QUOTED: Final = re.compile(r'"[^"]*"')

Numbered = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Header:
    """`columns` are the names that JSON has; None for an unnamed column, which holds nothing."""

    number: int
    delimiter: str
    columns: tuple[str | None, ...]


def split_lines(chunks: Iterable[str]) -> Iterator[str]:
    """Lines without their ends; one that never ends is cut a little beyond the longest allowed."""
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from whole
        rest = rest[: MAX_LINE + 1]
    if rest:
        yield rest


def records(lines: Iterable[str]) -> Iterator[Numbered]:
    """Records with the number of their first line, as an editor shows it. A line whose quotes do not
    end within some lines stands alone."""
    numbered, waiting = iter(enumerate(lines, 1)), deque[Numbered]()
    while (first := waiting.popleft() if waiting else next(numbered, None)) is not None:
        number, text = first
        if text.count('"') % 2 == 0:
            yield first
            continue
        held: list[Numbered] = []
        size, is_open = len(text), True
        while is_open and len(held) < MAX_BREAKS and size <= MAX_LINE:
            following = waiting.popleft() if waiting else next(numbered, None)
            if following is None:
                break
            held.append(following)
            size += len(following[1]) + 1
            is_open = following[1].count('"') % 2 == 0
        if is_open:
            waiting.extendleft(reversed(held))
            yield first
        else:
            yield number, "\n".join([text, *(line for _, line in held)])


def find_header(found: Iterator[Numbered]) -> tuple[Header | None, list[Problem]]:
    """Takes the first record that holds something; `sep=;` before it is Excel's own."""
    for number, text in found:
        if not text.strip("\ufeff;,\t \"'") or re.fullmatch(r"sep=.", text.strip("\ufeff"), re.I):
            continue
        return read_header(number, text)
    return read_header(1, "")


def read_header(number: int, text: str) -> tuple[Header | None, list[Problem]]:
    """Every column that is missing, unknown or there twice."""
    text = text.removeprefix("\ufeff")
    refused = _unreadable(number, text)
    if refused is not None:
        return None, [refused]
    unquoted = _QUOTED.sub("", text)
    delimiter = max(DELIMITERS, key=unquoted.count)
    names = _cells(text, delimiter) or []
    columns = [column_of(name) for name in names]
    known = ", ".join(COLUMNS)
    problems = [
        _problem(number, name, "CSV-COLUMN", "the column is missing", known)
        for name in REQUIRED
        if name not in columns
    ]
    # Not by its name: where a header was forgotten, this is a patient's line.
    problems += [
        _problem(
            number, "", "CSV-COLUMN", f"column {position} means nothing here",
            f"one of {known}, or a French name of these; nothing else of a patient is wanted",
        )
        for position, (name, column) in enumerate(zip(names, columns, strict=True), 1)
        if column is None and name.strip()
    ]  # fmt: skip
    problems += [
        _problem(number, name, "CSV-COLUMN", "the column is there twice", "once")
        for name in COLUMNS
        if columns.count(name) > 1
    ]
    return (None, problems) if problems else (Header(number, delimiter, tuple(columns)), [])


def read_record(
    header: Header, number: int, text: str
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The fields of an act as JSON would name them; None for one without any value too."""
    refused = _unreadable(number, text)
    if refused is not None:
        return None, [refused]
    cells = _cells(text, header.delimiter)
    if cells is None:
        return None, [
            _problem(number, "", "CSV-QUOTE", "quotes that do not end",
                     'RFC 4180: "…" around a cell, and "" for a quote in it')
        ]  # fmt: skip
    cells = [as_text(cell) for cell in cells]
    if not any(cells):
        return None, []
    if any(cells[len(header.columns) :]):
        lines = text.count("\n") + 1
        told = f"{len(cells)} cells" + (
            f" in {lines} lines that quotes make one" if lines > 1 else ""
        )
        return None, [
            _problem(number, "", "CSV-CELLS", told, f"{len(header.columns)}, as in the header")
        ]
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    for position, (column, cell) in enumerate(zip_longest(header.columns, cells, fillvalue=""), 1):
        if not cell:
            continue
        if not column:
            problems.append(
                _problem(number, "", "CSV-COLUMN", f"column {position} has a value and no name",
                         "a name in the header, or nothing in the column"
                         + ("; of pandas: index=False" if position == 1 else ""))
            )  # fmt: skip
            continue
        if is_formula(cell):
            problems.append(
                _problem(number, column, "CSV-FORMULA", _told_of_formula(cell), EXPECTED[column])
            )
            continue
        try:
            fields[column] = value_of(column, cell)
        except ValueError as error:
            problems.append(_problem(number, column, "CSV-DATE", str(error), EXPECTED[column]))
    problems += [
        _problem(number, column, "CSV-MISSING", "the cell is empty", EXPECTED[column])
        for column in REQUIRED
        if column not in fields and not any(it.path.endswith(f"/{column}") for it in problems)
    ]
    patient = {
        name: fields.pop(f"patient_{name}")
        for name in ("oid", "matricule")
        if f"patient_{name}" in fields
    }
    if patient:
        fields["patient"] = patient
    return fields, problems


def _told_of_formula(cell: str) -> str:
    if cell == NOT_COMPUTED:
        return "a formula that was never computed: a spreadsheet does so when it saves the workbook"
    return "begins like a formula"


def expected_of(place: tuple[str | int, ...]) -> str:
    """What would have been right, by where a field stands in an act."""
    name = str(place[0]) if place else ""
    if name == "patient":
        name = f"patient_{place[1]}" if len(place) > 1 else "patient_oid"
    return EXPECTED.get(name, "")


def _unreadable(number: int, text: str) -> Problem | None:
    if len(text) > MAX_LINE:
        return _problem(
            number, "", "CSV-LINE", "the line is too long", f"at most {MAX_LINE} characters"
        )
    if "\0" in text:
        return _problem(number, "", "CSV-NUL", "holds U+0000", "text; UTF-16 with its mark")
    return _encoding(number) if _UNDECODED.search(text) else None


def _encoding(number: int) -> Problem:
    return _problem(
        number, "", "CSV-ENCODING", "bytes that are no text in the encoding of the file",
        "UTF-8, UTF-16 with its mark, or Windows-1252, and one of them for the whole file",
    )  # fmt: skip


def _cells(text: str, delimiter: str) -> list[str] | None:
    """None where quotes do not end; a cell that holds a line break keeps it."""
    lines = [f"{line}\n" for line in text.split("\n")]
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None if len(rows) > 1 else []


def _problem(number: int, column: str, rule: str, message: str, expected: str) -> Problem:
    path = f"/lines/{number}" + (f"/{column}" if column else "")
    return Problem(rule, path, message, expected, source=SOURCE)
