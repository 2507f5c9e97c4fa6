"""The PDF copy of a CDA document: the file that it encapsulates, else its reading page as text."""

import base64
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from lxml import etree

from socle.cda.reading import reading_page
from socle.cda.xml import HL7, parse_document
from socle.pdf.writer import Line, write_pdf

_HEADINGS: Final = {"h1": (16, 0), "h2": (12, 10), "h3": (11, 6), "h4": (10, 4)}
_BLOCKS: Final = frozenset(
    {"p", "li", "dd", "dt", "caption", "tr", "div", "section", "header", "main"}
)
_MAX_LINES: Final = 20_000
"""Some 400 pages: a hostile document must not make a book."""


def pdf_of_cda(content: bytes, at: datetime) -> bytes:
    """Raises MalformedCdaError for what is no CDA document.

    What a level 1 document encapsulates is given as it is: whether it is a PDF/A-1, it says itself.
    """
    root = parse_document(content)
    text = root.find(f"{{{HL7}}}component/{{{HL7}}}nonXMLBody/{{{HL7}}}text")
    if text is not None and text.get("mediaType") == "application/pdf":
        try:
            inside = base64.b64decode(text.text or "")
        except ValueError:  # binascii.Error is one; letters that are none of base64's
            inside = b""
        if inside.startswith(b"%PDF"):
            return inside
    page = etree.fromstring(
        reading_page(content), etree.HTMLParser(encoding="utf-8", huge_tree=True)
    )
    body = page.find("body")
    lines = [] if body is None else _paragraphs(body)
    return write_pdf(root.findtext(f"{{{HL7}}}title") or "", lines, at)


def _paragraphs(body: etree._Element) -> list[Line]:
    try:
        return list(islice(_lines(body), _MAX_LINES))
    except RecursionError:  # nested as no document is: its words without their order in lines
        return [Line(" ".join(" ".join(map(str, body.itertext())).split())[:1_000_000])]


def _lines(element: etree._Element, size: int = 10, above: int = 0) -> Iterator[Line]:
    """Blocks become paragraphs; rows of a table, one line whose cells are parted."""
    pending: list[str] = [element.text or ""]

    def flushed() -> Iterator[Line]:
        text = " ".join("".join(pending).split())
        pending.clear()
        if text:
            yield Line(text, size, above)

    for child in element:
        name = child.tag if isinstance(child.tag, str) else ""
        if name == "tr":
            yield from flushed()
            cells = (" ".join("".join(map(str, cell.itertext())).split()) for cell in child)
            yield Line("   ".join(cell for cell in cells if cell))
        elif name in _HEADINGS:
            yield from flushed()
            yield from _lines(child, *_HEADINGS[name])
        elif name in _BLOCKS or len(child):
            yield from flushed()
            yield from _lines(child, size, 6 if name == "p" else 0)
        elif name not in ("style", "script", "object", "img"):
            pending.append(child.text or "")
        pending.append(child.tail or "")
    yield from flushed()
