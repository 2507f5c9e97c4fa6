"""Reports in the formats of other programs, whose libraries are imported for the first that is asked for.

They (reportlab, openpyxl, and numpy where it is installed) take a third of the service's start, and numpy
has threads, beside which no process may be forked. Called in a thread: nobody waits for the import.
"""

from services.usage.reports.content import Report


def as_pdf(report: Report) -> bytes:
    from services.usage.reports.pdf import as_pdf as write

    return write(report)


def as_xlsx(report: Report) -> bytes:
    from services.usage.reports.workbook import as_xlsx as write

    return write(report)
