"""Workbooks, row by row: what openpyxl reads of them, and formulas that nothing computed."""

import io
import zipfile
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from services.usage.domain.activity_cells import NOT_COMPUTED
from services.usage.sheet_rows import BrokenSheet, Row, rows

SHEET = "xl/worksheets/sheet1.xml"
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e9, 1e9),
    st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001 (as a cell)
        lambda at: at.replace(microsecond=0)
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
        lambda it: not it.startswith("=")
    ),
)


def saved(book: Workbook) -> io.BytesIO:
    out = io.BytesIO()
    book.save(out)
    return out


def read(content: io.BytesIO, columns: int = 64) -> list[Row]:
    return list(rows(load_workbook(content, read_only=True, data_only=True), columns))


def written(cells: str, head: str = "") -> io.BytesIO:
    """A workbook whose sheet is written by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(saved(Workbook())) as whole, zipfile.ZipFile(out, "w") as made:
        for name in whole.namelist():
            content = whole.read(name)
            if name == SHEET:
                space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                content = (
                    f'<?xml version="1.0"?>{head}<x:worksheet xmlns:x="{space}"><x:sheetData>{cells}'
                    "</x:sheetData></x:worksheet>"
                ).encode()
            made.writestr(name, content)
    return out


@given(st.lists(st.lists(CELLS, max_size=5), max_size=5))
def test_reads_what_openpyxl_reads(given_rows: list[list[object]]) -> None:
    book = Workbook()
    for row in given_rows:
        book.active.append(row)
    content = saved(book)
    whole = load_workbook(content, data_only=True).active
    expected = [
        (number, list(values))
        for number, values in enumerate(whole.iter_rows(values_only=True), 1)
        if any(value is not None for value in values)
    ]
    found = read(content)
    assert [number for number, _ in found] == [number for number, _ in expected]
    for (_, values), (_, theirs) in zip(found, expected, strict=True):
        assert values == theirs[: len(values)]
        assert not any(value is not None for value in theirs[len(values) :])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ('<x:row r="3"><x:c r="B3"><x:f>1+1</x:f></x:c></x:row>', (3, [None, NOT_COMPUTED])),
        ('<x:row r="3"><x:c r="A3"><x:f>1+1</x:f><x:v/></x:c></x:row>', (3, [NOT_COMPUTED])),
        ('<x:row r="3"><x:c r="A3"><x:f>1+1</x:f><x:v>2</x:v></x:c></x:row>', (3, [2])),
        ("<x:row><x:c/><x:c><x:v>7</x:v></x:c></x:row>", (1, [None, 7])),
        (
            '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:r><x:t>é</x:t></x:r><x:r><x:t>t</x:t></x:r>'
            "<x:rPh><x:t>no</x:t></x:rPh></x:is></x:c></x:row>",
            (1, ["ét"]),
        ),
        ('<x:row r="1"><x:c r="A1" t="e"><x:v>#N/A</x:v></x:c></x:row>', (1, ["#N/A"])),
    ],
    ids=["no value", "an empty value", "a value", "no places", "inline text", "an error"],
)
def test_reads_what_others_write(cells: str, values: Row) -> None:
    assert read(written(cells)) == [values]


def test_a_formula_whose_text_is_empty_is_an_empty_cell() -> None:
    cells = '<x:row r="1"><x:c r="A1" t="str"><x:f>""</x:f><x:v></x:v></x:c></x:row>'
    assert read(written(cells)) == []


def test_looks_at_no_column_beyond_those_asked_for() -> None:
    book = Workbook()
    book.active.append([1, 2, 3])
    assert read(saved(book), columns=2) == [(1, [1, 2])]


def test_takes_no_document_type() -> None:
    head = '<!DOCTYPE x [<!ENTITY a "b">]>'
    with pytest.raises(BrokenSheet):
        read(written('<x:row r="1"><x:c r="A1"><x:v>&a;</x:v></x:c></x:row>', head))
