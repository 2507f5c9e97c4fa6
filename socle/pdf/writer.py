"""Pages of text as PDF/A-1b: the font embedded, colours that depend on no device, metadata in XMP."""

import hashlib
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from socle.pdf.font import ENCODING, Font, vera

_HEADER: Final = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
_COMMENT: Final = b"%" + b"-" * 78 + b"\n"
_WIDTH, _HEIGHT, _MARGIN = 595, 842, 50  # A4 in points
_LEADING: Final = 1.4
_NAME: Final = "SOCLEA+SocleSans"
PRODUCER: Final = "Socle"
# CalGray of D65: black that needs no output intent (ISO 19005-1 §6.2.3.3).
_GREY: Final = b"[/CalGray<</WhitePoint[0.9505 1 1.089]/Gamma 2.2>>]"
_SUBSTITUTES: Final = str.maketrans(
    {"≤": "<=", "≥": ">=", "≠": "#", "−": "-", "‑": "-", "‐": "-", "→": "->", "\t": "    ",
     "\u202f": " ", "\u2009": " "}
)  # fmt: skip

_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>{producer}</pdf:Producer></rdf:Description>
{created}</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""

_CREATED: Final = """<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>{at}</xmp:CreateDate></rdf:Description>
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: it is wrapped. `size` in points; `above` is the space before it."""

    text: str = field(repr=False)
    size: int = 10
    above: int = 0


def write_pdf(
    title: str, lines: Sequence[Line], at: datetime | None = None, *, padding: int = 0
) -> bytes:
    """The same arguments give the same bytes. What WinAnsi does not know is written by what it knows.

    About `padding` bytes of comments are added, which readers skip.
    """
    font = vera()
    shown = [piece for line in lines for piece in _wrapped(font, line)]
    pages = [_content(page) for page in _pages(shown)]
    used = {code for line in shown for code in encoded(line.text)}
    return _file(_objects(font, used, pages, _printable(title), at), padding)


def encoded(text: str) -> bytes:
    """In WinAnsi; a character that it lacks is decomposed, and at last a question mark."""
    pieces = []
    for char in _printable(text.translate(_SUBSTITUTES)):
        try:
            pieces.append(char.encode(ENCODING))
        except UnicodeEncodeError:
            plain = unicodedata.normalize("NFKD", char)
            kept = "".join(it for it in plain if not unicodedata.combining(it))
            pieces.append(kept.encode(ENCODING, "replace"))
    return b"".join(pieces)


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _wrapped(font: Font, line: Line) -> Iterator[Line]:
    room = (_WIDTH - 2 * _MARGIN) * 1000 // line.size
    above, current, width = line.above, "", 0
    for word in line.text.split(" "):
        for piece in _cut(font, word, room):
            cost = sum(map(font.width, encoded(piece)))
            joined = width + font.width(32) + cost
            if current and joined > room:
                yield Line(current, line.size, above)
                above, current, width = 0, piece, cost
            else:
                current, width = (f"{current} {piece}", joined) if current else (piece, cost)
    yield Line(current, line.size, above)


def _cut(font: Font, word: str, room: int) -> Iterator[str]:
    """A word that is longer than a line, in pieces."""
    start, width = 0, 0
    for place, char in enumerate(word):
        cost = sum(map(font.width, encoded(char)))
        if width + cost > room:
            yield word[start:place]
            start, width = place, 0
        width += cost
    yield word[start:]


def _pages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    page: list[Line] = []
    left: float = _HEIGHT - 2 * _MARGIN
    for line in lines:
        cost = line.size * _LEADING + line.above
        if page and cost > left:
            yield page
            page, left = [], _HEIGHT - 2 * _MARGIN
        page.append(line)
        left -= cost
    yield page


def _content(lines: Sequence[Line]) -> bytes:
    at: float = _HEIGHT - _MARGIN
    drawn = [b"/Cs1 cs 0 sc BT"]
    for line in lines:
        at -= line.size * _LEADING + line.above
        text = (
            encoded(line.text).replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        )
        drawn.append(b"/F1 %d Tf 1 0 0 1 %d %.1f Tm (%s) Tj" % (line.size, _MARGIN, at, text))
    return b"\n".join([*drawn, b"ET"])


def _objects(
    font: Font, used: set[int], pages: Sequence[bytes], title: str, at: datetime | None
) -> list[bytes]:
    """Objects: 1 catalogue, 2 pages, 3 font, 4 its descriptor, 5 its file, 6 XMP, 7 information."""
    made = created = ""
    if at is not None:  # in both, or in neither (ISO 19005-1 §6.7.3)
        instant = at.astimezone(UTC)
        made = _CREATED.format(at=instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
        created = f"/CreationDate(D:{instant:%Y%m%d%H%M%S}Z)"
    xmp = _XMP.format(title=escape(title), producer=PRODUCER, created=made)
    first = 8
    kids = b" ".join(b"%d 0 R" % (first + 2 * it) for it in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Metadata 6 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids),
        _font(font),
        _descriptor(font),
        _font_file(frozenset(used)),
        b"<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%s\nendstream"
        % (len(xmp.encode()), xmp.encode()),
        b"<</Title%s/Producer(%s)%s>>" % (_text(title), PRODUCER.encode(), created.encode()),
    ]
    for number, content in enumerate(pages):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources"
            b"<</Font<</F1 3 0 R>>/ColorSpace<</Cs1 %s>>>>>>"
            % (_WIDTH, _HEIGHT, first + 2 * number + 1, _GREY)
        )
        objects.append(_stream(content))
    return objects


@lru_cache(maxsize=256)
def _font_file(used: frozenset[int]) -> bytes:
    """Documents of one kind use the same characters again and again."""
    subset = vera().subset(used)
    return _stream(subset, b"/Length1 %d" % len(subset))


def _font(font: Font) -> bytes:
    widths = b" ".join(b"%d" % font.width(code) for code in range(32, 256))
    return (
        b"<</Type/Font/Subtype/TrueType/BaseFont/%s/FirstChar 32/LastChar 255/Widths[%s]"
        b"/Encoding/WinAnsiEncoding/FontDescriptor 4 0 R>>" % (_NAME.encode(), widths)
    )


def _descriptor(font: Font) -> bytes:
    box = b" ".join(b"%d" % font.scaled(it) for it in font.box)
    return (
        b"<</Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[%s]/ItalicAngle 0/Ascent %d"
        b"/Descent %d/CapHeight 729/StemV 80/FontFile2 5 0 R>>"
        % (_NAME.encode(), box, font.scaled(font.ascent), font.scaled(font.descent))
    )


def _stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<</Filter/FlateDecode/Length %d%s>>\nstream\n%s\nendstream" % (
        len(packed),
        more,
        packed,
    )


def _text(text: str) -> bytes:
    """A text string in UTF-16, in hexadecimal: nothing in it needs escaping."""
    return b"<FEFF%s>" % text.encode("utf-16-be").hex().upper().encode()


def _file(objects: Sequence[bytes], padding: int) -> bytes:
    out, offsets = bytearray(_HEADER), []
    out += _COMMENT * (padding // len(_COMMENT))
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    identifier = hashlib.sha256(out).hexdigest()[:32].upper().encode()
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R/Info 7 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, identifier, identifier, table,
    )  # fmt: skip
    return bytes(out)
