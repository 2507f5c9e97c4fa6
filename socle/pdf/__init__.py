"""PDF/A-1b (ISO 19005-1) of plain text: what goes beside CDA documents in the mails of MSSanté.

Written here because reportlab, which draws the reports of usage, writes no PDF/A; its font is used.
"""

from socle.pdf.reading import pdf_of_cda
from socle.pdf.writer import Line, write_pdf

__all__ = ["Line", "pdf_of_cda", "write_pdf"]
