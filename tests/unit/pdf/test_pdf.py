"""PDF/A-1b of text. That the files are valid PDF/A-1b was proved with PDFBox Preflight; here is held
what a reader and that check rest on."""

import re
import struct
import zlib
from datetime import UTC, datetime

from socle.cda.samples_pdf import page_of
from socle.demo.document import laboratory_report
from socle.pdf import Line, pdf_of_cda, write_pdf
from socle.pdf.font import vera
from socle.pdf.writer import encoded

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def streams(pdf: bytes) -> list[bytes]:
    packed = re.findall(rb"/FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)
    return [zlib.decompress(one) for one in packed]


def test_declares_itself_in_plain_metadata() -> None:
    pdf = write_pdf("Été", [Line("Bonjour")], AT)
    assert pdf.startswith(b"%PDF-1.4\n%")
    assert b"<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B<" in pdf
    assert "Été".encode() in pdf
    assert b"/ID[<" in pdf
    assert b"/Encrypt" not in pdf


def test_its_table_says_where_each_object_is() -> None:
    pdf = write_pdf("t", [Line(f"ligne {n}") for n in range(200)], AT)
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    rows = pdf[start:].split(b"trailer")[0].splitlines()[3:]
    for number, row in enumerate(rows, start=1):
        assert pdf.startswith(b"%d 0 obj" % number, int(row.split()[0]))
    assert pdf.count(b"/Type/Page/") == 4


def test_embeds_the_font_with_what_is_used_of_it() -> None:
    short = streams(write_pdf("t", [Line("aaa")], AT))[0]
    long = streams(write_pdf("t", [Line("Portez ce vieux whisky au juge blond qui fume")], AT))[0]
    assert len(short) < len(long) < sum(map(len, vera().tables.values()))
    words = struct.unpack(f">{len(long) // 4}L", long)
    assert sum(words) & 0xFFFFFFFF == 0xB1B0AFBA  # the checksum of a whole font
    # A letter with an accent is made of two glyphs, which come with it.
    composite = vera().subset(encoded("é"))
    assert len(composite) > len(vera().subset(encoded("e")))


def test_writes_what_winansi_lacks_with_what_it_has() -> None:
    assert encoded("≥ 12 µg/L – œdème") == "\x3e\x3d 12 µg/L – œdème".encode("cp1252")
    assert encoded("ő 漢\0") == b"o ?"


def test_breaks_lines_that_are_too_long_and_words_too() -> None:
    (_, content) = streams(write_pdf("t", [Line("mot " * 60 + "x" * 400)], AT))
    shown = re.findall(rb"\((.*?)\) Tj", content)
    assert len(shown) > 6
    assert all(sum(map(vera().width, line)) <= 49_500 for line in shown)


def test_copies_a_structured_document_as_text() -> None:
    pdf = pdf_of_cda(laboratory_report(), AT)
    (_, content) = streams(pdf)
    assert b"(Compte rendu d'examens biologiques) Tj" in content
    assert re.search(rb"\(Glucose   \d+ mg/dL", content)
    assert pdf == pdf_of_cda(
        laboratory_report(), AT
    )  # but for the document's own id, which no page shows


def test_copies_what_is_nested_as_no_document_is() -> None:
    depth = 150
    nested = b"<list><item>" * depth + b"au fond" + b"</item></list>" * depth
    content = laboratory_report().replace(b"<text>", b"<text>" + nested, 1)
    assert any(b"au fond" in stream for stream in streams(pdf_of_cda(content, AT)))


def test_gives_the_pdf_that_a_document_holds() -> None:
    import base64

    inside = page_of(["ordonnance"])
    content = laboratory_report().split(b"<component>")[0] + (
        b'<component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
        + base64.b64encode(inside) + b"</text></nonXMLBody></component></ClinicalDocument>"
    )  # fmt: skip
    assert pdf_of_cda(content, AT) == inside
