"""Evidence files: their kind by content, and the name that they are given back under."""

import io
import zipfile

import openpyxl
import pytest

from services.usage.domain.pieces import (
    CSV,
    JPEG,
    PDF,
    PNG,
    XLSX,
    Kind,
    check_piece,
    disposition,
    kind_of,
    label_of,
)

A_PDF = b"%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
A_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(21) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
A_JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9"
A_CSV = "\ufeffmois;comptes rendus\r\n2022-03;540\r\n".encode()


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["mois", "comptes rendus"])
    book.save(out)
    return out.getvalue()


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, b"x")
    return out.getvalue()


class TestKind:
    @pytest.mark.parametrize(
        ("content", "kind"),
        [(A_PDF, PDF), (A_PNG, PNG), (A_JPEG, JPEG), (A_CSV, CSV), (workbook(), XLSX)],
    )
    def test_is_that_of_the_content(self, content: bytes, kind: Kind) -> None:
        assert kind_of(content) == kind
        assert check_piece(content, kind.media_type, 10_000) == (kind, [])
        assert check_piece(content, "application/octet-stream", 10_000) == (kind, [])

    @pytest.mark.parametrize(
        "content",
        [
            A_PDF[:-8], A_PNG[:-1], A_PNG + b"<script>", A_JPEG + b"MZ", b"MZ" + A_PDF,
            b"no separator", b"a;b\x00", "é;ù".encode("latin-1"), b"<html></html>",
            archive("word/document.xml"), archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
            b"junk" + workbook(), workbook()[:-30], b"PK\x03\x04", b"PK\x05\x06" + bytes(18),
        ],
    )  # fmt: skip
    def test_is_none_of_what_is_cut_disguised_or_executable(self, content: bytes) -> None:
        assert kind_of(content) is None
        assert [it.rule for it in check_piece(content, "", 100_000)[1]] == ["PIECE-KIND"]

    def test_is_not_what_a_client_says(self) -> None:
        assert [it.rule for it in check_piece(A_PNG, "application/pdf", 1000)[1]] == ["PIECE-TYPE"]
        assert check_piece(A_CSV, "Text/CSV; charset=utf-8", 1000)[1] == []
        assert check_piece(A_CSV, "application/vnd.ms-excel", 1000)[1] == []

    def test_has_bounds(self) -> None:
        assert [it.rule for it in check_piece(b"", "", 1)[1]] == ["PIECE-EMPTY"]
        assert [it.rule for it in check_piece(A_PDF, "", len(A_PDF) - 1)[1]] == ["PIECE-SIZE"]
        assert check_piece(A_PDF, "", len(A_PDF))[1] == []

    @pytest.mark.parametrize(
        "number", ["255069999999934", "2 55 06 99 999 999 34", "2\u00a055\u202f06 99 999 999 34"]
    )
    def test_of_a_list_may_not_hold_the_number_of_a_person(self, number: str) -> None:
        held = f"nom;nir\nx;{number}\n".encode()
        assert [it.rule for it in check_piece(held, "", 1000)[1]] == ["PIECE-NIR"]
        assert check_piece(b"a;b\nx;255069999999935\n", "", 1000)[1] == []  # no key of a NIR


class TestLabel:
    @pytest.mark.parametrize(
        ("given", "label"),
        [
            ("rapport.pdf", "rapport.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\temp\\réponse é.PDF", "réponse é.pdf"),
            ('a"b\r\nSet-Cookie: x.pdf', "a_b__Set-Cookie_ x.pdf"),
            ("script.html", "script.html.pdf"),
            ("", "piece.pdf"),
            ("..", "piece.pdf"),
            ("nul\x00.pdf", "nul_.pdf"),
            ("\udcff.pdf", "_.pdf"),
            ("x" * 500 + ".pdf", "x" * 120 + ".pdf"),
        ],
    )
    def test_is_a_name_and_no_path(self, given: str, label: str) -> None:
        assert label_of(given, PDF) == label
        assert disposition(label).isascii()

    def test_is_saved_and_never_shown(self) -> None:
        assert disposition("réponse.pdf") == (
            "attachment; filename=\"r_ponse.pdf\"; filename*=UTF-8''r%C3%A9ponse.pdf"
        )
