"""A workbook (XLSX) of acts, made the text that a CSV file of it would be.

What a hostile workbook may be is bounded before it is read: parts that unfold, columns, rows.
"""

import csv
import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from typing import IO, Any, Final

from socle.problems import Problem

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0"
"""How a workbook of before 2007 begins, and one with a password."""
MAX_UNFOLDED: Final = 64 * 1024 * 1024
"""Some 180,000 rows, and half a minute."""
MAX_PARTS: Final = 1000
MAX_COLUMNS: Final = 64
LOOKED_AT: Final = 256
"""Columns in which a value is told to be too many; beyond them no sheet of acts goes."""
MAX_ROWS: Final = 1_048_576
_BREAK: Final = re.compile(r"\r\n|\r|\n")


class UnreadableSheet(ValueError):
    """`problem` says what would have been right."""

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.problem = Problem(
            "XLSX-UNREADABLE", "/", message, expected, source="services/usage/README.md, XLSX"
        )


def write_csv(workbook: IO[bytes], target: IO[bytes]) -> None:
    """The first sheet, a row a line of the same number, in UTF-8 with `;`. Raises UnreadableSheet."""
    # For the first workbook only (see reports/writers.py).
    from openpyxl import load_workbook

    from services.usage.sheet_rows import rows

    _check_size(workbook)
    out = io.TextIOWrapper(target, encoding="utf-8", errors="replace", newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    try:
        book = load_workbook(workbook, read_only=True, data_only=True, keep_links=False)
        last = 0
        for number, row in rows(book, LOOKED_AT):
            if len(row) > MAX_COLUMNS:
                raise UnreadableSheet("the sheet is too wide", f"at most {MAX_COLUMNS} columns")
            if not last < number <= MAX_ROWS:
                raise UnreadableSheet(
                    f"row {number} does not follow row {last}", f"rows in order, up to {MAX_ROWS}"
                )
            out.write("\n" * (number - last - 1))
            writer.writerow([_text(value) for value in row])
            last = number
        book.close()
    except UnreadableSheet:
        raise
    except Exception as error:  # noqa: BLE001 (the library raises anything where a part is broken)
        raise UnreadableSheet(
            f"the workbook cannot be read ({type(error).__name__})",
            "an XLSX workbook without a password, whose first sheet holds the acts; or CSV",
        ) from None
    out.flush()
    out.detach()


def _check_size(workbook: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(workbook) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableSheet("the file is no workbook", "an XLSX workbook, or CSV") from None
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNFOLDED:
        raise UnreadableSheet(
            "the workbook unfolds to more than is read",
            f"at most {MAX_UNFOLDED // 1024 // 1024} MiB in {MAX_PARTS} parts; several files, or CSV",
        )
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise UnreadableSheet(
            "an archive of another kind than XLSX, as an OpenDocument sheet (.ods) is",
            "the sheet saved as XLSX or CSV",
        )
    workbook.seek(0)


def _text(value: Any) -> str:
    """As the cell shows it to a person, with the dates of ISO."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 10**15:
            return str(int(value))
        case datetime():
            # Spreadsheets count days in floats: 14:05 may come as 14:04:59.999.
            rounded = value + timedelta(milliseconds=500)
            return rounded.replace(microsecond=0).isoformat(" ")
        case date() | time():
            return value.isoformat()
        case _:
            # Still a break for the rules of a cell, and none for the numbers of lines.
            return _BREAK.sub("\v", str(value))
