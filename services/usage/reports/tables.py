"""Reports as CSV, and what no table may hold."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal

from services.usage.reports.content import Report
from services.usage.reports.figures import Cell

# A spreadsheet runs a text that begins so (CWE-1236).
_FORMULA = re.compile(r"^[=+\-@\t\r]")
# No XML file can hold these.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(cell: Cell) -> Cell:
    """Text that a spreadsheet would run, or a file could not hold, made harmless; numbers stay."""
    if not isinstance(cell, str):
        return cell
    text = _NO_XML.sub("\ufffd", cell)
    return f"'{text}" if _FORMULA.match(text) else text


def as_csv(report: Report) -> bytes:
    """One long table, a figure a line (RFC 4180, UTF-8 with its mark, which spreadsheets need)."""
    return _csv(report, ",", safe)


def as_french_csv(report: Report) -> bytes:
    """The same as Excel opens it where the language is French: `;` between cells, decimal commas."""
    return _csv(report, ";", _with_comma)


def _with_comma(cell: Cell) -> Cell:
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else safe(cell)


def _csv(report: Report, delimiter: str, written: Callable[[Cell], Cell]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    table = report.figures()
    writer.writerow(["Programme", "Bénéficiaire", *table.headers])
    for row in table.rows:
        cells: list[Cell] = [report.title, report.beneficiary, *row]
        writer.writerow(["" if cell is None else written(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")
