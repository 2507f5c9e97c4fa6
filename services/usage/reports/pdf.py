"""A report as a printable PDF, A4, in French."""

import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing, Line, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Table as PdfTable

from services.usage.reports.content import Chart, Report, Table
from services.usage.reports.figures import Cell
from services.usage.reports.labels import amount, days, figure, instant

# Bitstream Vera comes with reportlab and is embedded: the standard fonts of PDF lack ≥ and Ł.
PLAIN, BOLD = "Vera", "VeraBd"
for _name in (PLAIN, BOLD):
    pdfmetrics.registerFont(TTFont(_name, f"{_name}.ttf"))
pdfmetrics.registerFontFamily(PLAIN, PLAIN, BOLD, PLAIN, BOLD)
_LETTERS = pdfmetrics.getFont(PLAIN).face.charToGlyph
PAGE = landscape(A4)
MARGIN = 15 * mm
WIDTH = PAGE[0] - 2 * MARGIN
INK, LINE, SHADE, TARGET = (
    colors.HexColor("#1b2a41"), colors.HexColor("#b8c4d6"), colors.HexColor("#e8edf4"),
    colors.HexColor("#c0392b"),
)  # fmt: skip
BAR, WARNING = colors.HexColor("#3a6ea5"), colors.HexColor("#8a1c1c")

TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=14, leading=18, textColor=INK)
HEADING = ParagraphStyle(
    "heading", fontName=BOLD, fontSize=10, leading=13, textColor=INK, spaceBefore=8, spaceAfter=4
)  # fmt: skip
BODY = ParagraphStyle("body", fontName=PLAIN, fontSize=8.2, leading=11.5, textColor=INK)
ALARM = ParagraphStyle("alarm", parent=BODY, fontName=BOLD, textColor=WARNING)
SMALL = ParagraphStyle("small", fontName=PLAIN, fontSize=6.8, leading=8.6, textColor=INK)
HEAD = ParagraphStyle("head", parent=SMALL, fontName=BOLD)
NUMBER = ParagraphStyle("number", parent=SMALL, alignment=2)
NUMBER_HEAD = ParagraphStyle("number-head", parent=HEAD, alignment=2)

# Shares of the width, by table; the rest of a row is shared evenly.
WIDTHS = {
    "montants": (2, 2, 2, 3, 3, 3, 4),
    "indicateurs": (1.1, 1.7, 7, 1.8, 2, 1.4, 1.8, 2.2),
    "domaines": (1.2, 5, 2.5, 3, 1.5, 2.5),
    "prerequis": (1.5, 5, 2, 3, 4, 2.5),
    "calcul": (1.2, 4, 4, 2, 3, 2.5),
    "manque": (1.2, 2, 1.2, 2, 2, 2.4, 1.4, 1.6),
    "declare": (1.2, 2, 2.4, 2.4, 2, 2.4, 1.5),
    "attestations": (1.2, 1.6, 2.4, 3.2, 2.4, 2.4, 5),
    "controle": (1.2, 2, 2, 1.8, 1.8, 6),
    "refus": (1.5, 5, 2.5),
    "familles": (1.5, 5, 2.5),
    "sources": (1.1, 2.9, 5, 1.6, 1.2, 5, 2.2),
    "choix": (2.1, 4.2, 3.6, 1, 3.2, 4.4, 1.9),
}
FOOTER = (
    "Socle, bac à sable des services socles du Ségur : données d'essai, ne vaut pas attestation."
)


def as_pdf(report: Report) -> bytes:
    """Without any time of the machine's, so that the same figures give the same file."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=PAGE,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=printable(report.title),
        author="Socle",
        lang="fr-FR",
        invariant=1,
    )
    document.build([*_head(report), *_body(report)], canvasmaker=_Numbered)
    return out.getvalue()


def _head(report: Report) -> Iterator[Flowable]:
    rules = report.payments.programme
    yield Paragraph(_text(report.title), TITLE)
    yield Spacer(1, 3)
    yield Paragraph(f"<b>{_text(report.beneficiary)}</b>", BODY)
    for it in report.payments.windows:
        yield Paragraph(_text(f"Fenêtre {it.name} : {days(it.period.start, it.period.end)}"), BODY)
    yield Paragraph(
        _text(f"Établi le {instant(report.made_at)}, règles {rules.programme} {rules.version}"),
        BODY,
    )
    total = report.payments.total
    if total is not None:
        yield Paragraph(f"Total des fenêtres closes : <b>{_text(amount(total))}</b>", BODY)
    if not report.is_verified:
        yield Paragraph(
            "Montants NON VÉRIFIÉS : ils reposent sur des chiffres ou des choix sans source publique, "
            "nommés plus bas.",
            ALARM,
        )
    if report.absence:
        yield Paragraph(_text(report.absence), ALARM)
    if rules.status == "placeholder":
        yield Paragraph("Règles provisoires : aucun montant n'est calculé.", ALARM)


def _body(report: Report) -> Iterator[Flowable]:
    for table in report.tables():
        yield from _table(table)
        if table.name == "indicateurs":
            yield from _in_pairs([_drawn(chart) for chart in report.charts])
    if report.payments.of.kind != "space" and report.payments.windows:
        yield from _signature()
    notes = report.payments.programme.notes
    if notes:
        yield Paragraph("Notes", HEADING)
        for note in notes:
            yield Paragraph(_text(f"• {note.source}"), SMALL)


def _signature() -> Iterator[Flowable]:
    yield CondPageBreak(30 * mm)
    yield Paragraph("Attestation", HEADING)
    blanks = ["Nom et qualité :", "Fait le :", "Signature :"]
    made = PdfTable(
        [[Paragraph(blank, BODY) for blank in blanks]],
        colWidths=[WIDTH * share for share in (0.4, 0.2, 0.4)],
        rowHeights=[18 * mm],
        hAlign="LEFT",
    )
    made.setStyle(
        TableStyle([("BOX", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    )
    yield made


def _table(table: Table) -> Iterator[Flowable]:
    # A column without anything in it says nothing.
    kept = [
        column
        for column in range(len(table.headers))
        if any(row[column] not in (None, "") for row in table.rows)
    ]
    shares = [WIDTHS[table.name][column] for column in kept]
    widths = [WIDTH * share / sum(shares) for share in shares]
    rows: list[list[Any]] = [
        [
            Paragraph(_text(table.headers[column]), _style_of_header(table, column))
            for column in kept
        ]
    ]
    rows += [[_cell(row[column]) for column in kept] for row in table.rows]
    made = PdfTable(rows, colWidths=widths, repeatRows=1, hAlign="LEFT")
    made.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), SHADE),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    yield CondPageBreak(35 * mm)  # a heading with some rows under it
    yield Paragraph(_text(table.title), HEADING)
    yield made


def _style_of_header(table: Table, column: int) -> ParagraphStyle:
    """Above numbers, to the right."""
    numbers = any(isinstance(row[column], int | Decimal) for row in table.rows)
    return NUMBER_HEAD if numbers else HEAD


def _cell(cell: Cell) -> Paragraph:
    if cell is None:
        return Paragraph("", NUMBER)
    if isinstance(cell, Decimal):
        return Paragraph(_text(amount(cell).removesuffix("\u00a0€")), NUMBER)
    if isinstance(cell, int):
        return Paragraph(_text(figure(cell)), NUMBER)
    return Paragraph(_text(cell), SMALL)


def _in_pairs(charts: Sequence[Drawing]) -> Iterator[Flowable]:
    for index in range(0, len(charts), 2):
        pair: list[Any] = list(charts[index : index + 2])
        pair += [""] * (2 - len(pair))
        yield Spacer(1, 6)
        yield PdfTable([pair], colWidths=[WIDTH / 2] * 2, hAlign="LEFT")


def _drawn(chart: Chart) -> Drawing:
    """Bars by month, and a line at the target."""
    width, height = WIDTH / 2 - 8 * mm, 52 * mm
    left, bottom, top = 16 * mm, 9 * mm, 8 * mm
    drawing = Drawing(width, height)
    highest = ceiling(chart)
    bars = VerticalBarChart()
    bars.x, bars.y = left, bottom
    bars.width, bars.height = width - left - 4 * mm, height - bottom - top
    bars.data = [[float(value or 0) for value in chart.values]]
    bars.categoryAxis.categoryNames = [printable(label) for label in chart.labels]
    bars.categoryAxis.labels.fontSize = bars.valueAxis.labels.fontSize = 7
    bars.categoryAxis.labels.fontName = bars.valueAxis.labels.fontName = PLAIN
    bars.valueAxis.valueMin, bars.valueAxis.valueMax = 0, highest
    bars.valueAxis.valueStep = highest / 4
    bars.valueAxis.labelTextFormat = lambda value: figure(Fraction(value))
    bars.valueAxis.visibleGrid, bars.valueAxis.gridStrokeColor = True, LINE
    bars.bars[0].fillColor, bars.bars[0].strokeColor = BAR, None
    bars.barLabels.fontName, bars.barLabels.fontSize, bars.barLabels.nudge = PLAIN, 6.5, 5
    bars.barLabelFormat = "values"
    bars.barLabelArray = [["" if value is None else figure(value) for value in chart.values]]
    drawing.add(bars)
    drawing.add(
        String(left, height - 9, printable(f"{chart.title} ({chart.unit})"), fontName=BOLD,
               fontSize=8, fillColor=INK)
    )  # fmt: skip
    if chart.target is not None and chart.target <= highest:
        y = bottom + bars.height * float(chart.target) / highest
        right = left + bars.width
        drawing.add(Line(left, y, right, y, strokeColor=TARGET, strokeWidth=1))
        told = printable(f"cible {figure(chart.target)} {chart.unit}")
        drawing.add(
            String(right, height - 9, told, fontName=PLAIN, fontSize=7.5, fillColor=TARGET,
                   textAnchor="end")
        )  # fmt: skip
    return drawing


def ceiling(chart: Chart) -> float:
    """The top of the axis: a hundred per cent, or the next round number above the bars. A month with
    more documents than acts goes beyond a hundred."""
    highest = max((value for value in chart.values if value is not None), default=Fraction(0))
    if chart.unit == "%":
        return float(100 * max(1, -(-highest // 100)))
    ceiling = 4
    while ceiling < highest:
        ceiling *= 10
    while ceiling > 4 and ceiling // 2 >= highest and ceiling % 8 == 0:
        ceiling //= 2
    return float(ceiling)


class _Numbered(Canvas):  # type: ignore[misc]
    """Each page with its number and how many there are, which the last one tells."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self.setFont(PLAIN, 6.5)
            self.setFillColor(INK)
            self.drawString(MARGIN, 8 * mm, FOOTER)
            told = f"page {number} sur {len(self._pages)}"
            self.drawRightString(PAGE[0] - MARGIN, 8 * mm, told)
            super().showPage()
        super().save()


def _text(text: str) -> str:
    """For a paragraph, whose markup a name must not be."""
    return escape(printable(text))


def printable(text: str) -> str:
    """What the font lacks is shown as a letter that is not there, never as another one."""
    for mark in "?!:;%»€":  # no line begins with one of these
        text = text.replace(f" {mark}", f"\u00a0{mark}")
    return "".join(it if ord(it) in _LETTERS or it == "\n" else "?" for it in text)
