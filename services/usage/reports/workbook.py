"""Reports as XLSX."""

import io
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from services.usage.reports.content import Report, Table
from services.usage.reports.labels import instant
from services.usage.reports.tables import safe

_HEADER = PatternFill("solid", fgColor="DDE6F0")
_WIDEST = 60
_ON_PAPER = 80
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def as_xlsx(report: Report) -> bytes:
    """A sheet for each table."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Rapport"
    verification = "" if report.is_verified else "Montants NON VÉRIFIÉS : voir la feuille choix"
    for line in (
        report.title, report.beneficiary, f"Règles {report.payments.programme.version}",
        f"Établi le {instant(report.made_at)}", verification, report.absence,
    ):  # fmt: skip
        if line:
            first.append([safe(line)])
    for (cell,) in first.iter_rows():
        cell.alignment = _WRAPPED
    first["A1"].font = Font(bold=True, size=14)
    first.column_dimensions["A"].width = _ON_PAPER
    for table in report.tables():
        _fill(book, table)
    book.properties.created = report.made_at.replace(tzinfo=None)
    book.properties.creator = "Socle"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(table.name)
    sheet.append(list(table.headers))
    for row in table.rows:
        sheet.append([safe(cell) for cell in row])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = _HEADER
    for column in range(1, len(table.headers) + 1):
        for (cell,) in sheet.iter_rows(min_col=column, max_col=column, min_row=2):
            # Excel writes both with the separators of its own language.
            if isinstance(cell.value, Decimal):
                cell.number_format = "#,##0.00"
            elif isinstance(cell.value, int):
                cell.number_format = "#,##0"
            else:
                cell.alignment = _WRAPPED
        longest = max(len(str(cell.value or "")) for (cell,) in sheet.iter_rows(
            min_col=column, max_col=column
        ))  # fmt: skip
        sheet.column_dimensions[get_column_letter(column)].width = min(longest + 2, _WIDEST)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    # On paper: as wide as a page, the headers on each.
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = "1:1"
