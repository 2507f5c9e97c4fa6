"""Activity as a CSV file: read to its last line, every bad one named, and counted whole or not at all."""

import csv
import io
import zipfile
from datetime import datetime
from typing import Any, ClassVar

import httpx
import pytest
from openpyxl import Workbook

from services.usage import sheets

from .conftest import FINESS, Usage

HEADER = "kind;domain;structure;act_id;act_at"


def line(number: int, **changes: str) -> str:
    values = {
        "kind": "report.validated", "domain": "biology", "structure": FINESS, "act_id": f"A{number}",
        "act_at": "2022-03-15T09:00:00+01:00", **changes,
    }  # fmt: skip
    return ";".join(values.values())


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


async def sent(usage: Usage, content: bytes | str, **query: str) -> httpx.Response:
    return await usage.http.post(
        "/usage/activity",
        content=content.encode() if isinstance(content, str) else content,
        params=query,
        headers={**usage.headers, "Content-Type": "text/csv; charset=utf-8"},
    )


def problems(response: httpx.Response) -> list[tuple[str, str]]:
    assert response.status_code in (400, 422), response.text
    return [(it["rule"], it["path"]) for it in response.json()["problems"]]


class TestForms:
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    @pytest.mark.parametrize("delimiter", [";", ","])
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    async def test_counts_every_line_whatever_the_form(
        self, usage: Usage, bom: str, delimiter: str, ending: str
    ) -> None:
        lines = [HEADER, *(line(number) for number in range(3))]
        content = bom + ending.join(it.replace(";", delimiter) for it in lines)

        response = await sent(usage, content)

        assert (response.status_code, response.json()["declared"]) == (201, 3)
        assert await usage.counted() == (0, 3)

    async def test_counts_a_file_once_when_it_comes_twice(self, usage: Usage) -> None:
        content = "\n".join([HEADER, line(1), line(1), line(2), ""])
        for _ in range(2):
            assert (await sent(usage, content)).status_code == 201
        assert await usage.counted() == (0, 2)

    async def test_names_the_lines_that_say_otherwise_of_what_is_counted(
        self, usage: Usage
    ) -> None:
        await sent(usage, "\n".join([HEADER, line(1), line(2)]))
        again = "\n".join([HEADER, line(1), line(2, act_at="2022-04-15T10:00:00+02:00"), line(3)])
        response = await sent(usage, again)
        assert [(it["rule"], it["path"]) for it in response.json()["problems"]] == [
            ("ACT-CONTRADICTION", "/lines/3/act_id")
        ]
        body = (await sent(usage, again, on_error="skip")).json()
        assert (body["declared"], len(body["refused"])) == (2, 1)
        assert await usage.counted() == (0, 3)

    async def test_counts_as_the_same_acts_in_json_do(self, usage: Usage) -> None:
        await sent(usage, "\n".join([HEADER, line(1)]))
        await usage.declare(
            {"kind": "report.validated", "domain": "biology", "structure": FINESS, "act_id": "A1",
             "act_at": "2022-03-15T09:00:00+01:00"}
        )  # fmt: skip
        assert await usage.counted() == (0, 1)

    async def test_takes_an_instant_without_offset_as_one_of_paris(self, usage: Usage) -> None:
        lines = [line(1, act_at="2022-06-30T23:59:59"), line(2, act_at="2022-07-01T00:00:00"),
                 line(3, act_at="2022-01-01")]  # fmt: skip
        assert (await sent(usage, "\n".join([HEADER, *lines]))).status_code == 201
        assert await usage.counted(window="F1") == (0, 2)

    @pytest.mark.parametrize("at", ["01/01/2000", "31/12/2099 23:59:59"])
    async def test_takes_the_first_and_the_last_instant_of_the_calendar(
        self, usage: Usage, at: str
    ) -> None:
        response = await sent(usage, "\n".join([HEADER, line(1, act_at=at)]))
        assert (response.status_code, response.json()["declared"]) == (201, 1)

    async def test_takes_quoted_cells_and_columns_in_any_order(self, usage: Usage) -> None:
        content = (
            "act_at;act_id;kind;professional;flags;documents;patient_oid;patient_matricule\n"
            '2022-03-15T09:00:00Z;"F;1";fse.sent;99700427885;apcv;;1.2.250.1.213.1.4.10;279035121518989\n'
        )
        assert (await sent(usage, content)).json()["declared"] == 1

    async def test_reads_more_lines_than_it_holds(self, usage: Usage) -> None:
        content = "\n".join([HEADER, *(line(number) for number in range(2500))])
        assert (await sent(usage, content)).json()["declared"] == 2500
        assert await usage.counted() == (0, 2500)


class TestSpreadsheets:
    """What Excel, LibreOffice and hospitals' software write, column for column the same acts."""

    CELLS: ClassVar = [
        ["Type d'acte", "Domaine", "N° FINESS", "Numéro d'acte", "Date/heure"],
        ["Compte rendu", "Biologie", f"'{FINESS}", "Bio n°1 – été", "15/03/2022 09:00"],
        ["CR", "biologie médicale", FINESS, 'dit "urgent"', "30/06/2022 23:59:59"],
        ["compte rendu", "BIOLOGIE", FINESS.lower(), "3; suite", "01/07/2022"],
    ]  # fmt: skip

    @pytest.mark.parametrize(
        ("encoding", "delimiter", "ending"),
        [
            ("cp1252", ";", "\r\n"),  # Excel, CSV (séparateur : point-virgule)
            ("utf-8-sig", ";", "\r\n"),  # Excel, CSV UTF-8
            ("utf-16", "\t", "\r\n"),  # Excel, texte Unicode
            ("utf-8", ",", "\n"),  # LibreOffice
            ("cp1252", ";", "\r"),  # Excel for Mac, CSV (Macintosh)
        ],
    )
    async def test_write_the_same_acts(
        self, usage: Usage, encoding: str, delimiter: str, ending: str
    ) -> None:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
        writer.writerows([*self.CELLS, ["", "", "", "", ""]])
        response = await sent(usage, out.getvalue().encode(encoding))
        assert (response.status_code, response.json().get("declared")) == (201, 3), response.text
        assert await usage.counted(window="F1") == (0, 2)
        assert await usage.counted(window="F2") == (0, 1)

    async def test_write_workbooks(self, usage: Usage) -> None:
        book = Workbook()
        sheet = book.active
        for row in self.CELLS:
            sheet.append(row)
        sheet.append([])
        at = datetime(2022, 3, 15, 14, 4, 59, 999_600)  # noqa: DTZ001 (as a cell holds it)
        sheet.append(["CR", "Imagerie", FINESS, 20220315001, at])
        book.create_sheet("autre").append(["kind"])
        out = io.BytesIO()
        book.save(out)
        for media_type in (sheets.MEDIA_TYPE, "application/vnd.ms-excel", "text/csv"):
            response = await usage.http.post(
                "/usage/activity",
                content=out.getvalue(),
                headers={**usage.headers, "Content-Type": media_type},
            )
            assert (response.status_code, response.json().get("declared")) == (201, 4)
        assert await usage.counted(window="F1") == (0, 2)

    async def test_are_told_the_row_that_is_wrong(self, usage: Usage) -> None:
        book = Workbook()
        for row in [*self.CELLS, [], ["CR", "Biologie", FINESS, '=1+"x"', "hier"]]:
            book.active.append(row)
        book.active["D6"].data_type = "s"
        out = io.BytesIO()
        book.save(out)
        found = problems(await sent(usage, out.getvalue()))
        assert found == [("CSV-FORMULA", "/lines/6/act_id"), ("CSV-DATE", "/lines/6/act_at")]
        assert await usage.events_told() == 0

    async def test_with_breaks_in_a_row_name_the_row_as_the_sheet_shows_it(
        self, usage: Usage
    ) -> None:
        book = Workbook()
        header = ["Type", "N°\nacte", "Date\net heure", "Domaine", "FINESS"]
        for row in [header, ["CR", "1", "15/03/2022", "Biologie", FINESS], [],
                    ["CR", "on\ntwo", 44621, "Biologie", FINESS]]:  # fmt: skip
            book.active.append(row)
        out = io.BytesIO()
        book.save(out)
        response = await sent(usage, out.getvalue())
        assert problems(response) == [
            ("CSV-DATE", "/lines/4/act_at"),
            ("CSV-STRING-PATTERN-MISMATCH", "/lines/4/act_id"),
        ]
        assert "number of days" in response.json()["problems"][0]["message"]

    async def test_with_a_formula_that_nothing_computed_lose_no_value_in_silence(
        self, usage: Usage
    ) -> None:
        book = Workbook()
        book.active.append(["Type", "N° acte", "Date", "FINESS", "Mentions"])
        book.active.append(
            ["ordonnance", "1", "15/03/2022", FINESS, '=IF(TRUE,"eprescription","")']
        )
        out = io.BytesIO()
        book.save(out)
        response = await sent(usage, out.getvalue())
        assert problems(response) == [("CSV-FORMULA", "/lines/2/flags")]
        assert "never computed" in response.json()["problems"][0]["message"]

    async def test_come_as_a_form_too(self, usage: Usage) -> None:
        for content in (f"{HEADER}\n{line(1)}", f"{HEADER}\n{line(2)}\n{line(3)}"):
            response = await usage.http.post(
                "/usage/activity",
                files={"file": ("actes.csv", content.encode(), "text/csv")},
                headers=usage.headers,
            )
            assert response.status_code == 201, response.text
        assert await usage.counted(window="F1") == (0, 3)
        empty = await usage.http.post(
            "/usage/activity", data={"file": "x"}, files={}, headers=usage.headers
        )
        assert empty.status_code == 400

    @pytest.mark.parametrize(
        "media_type",
        ["application/x-www-form-urlencoded", "application/octet-stream", "text/plain",
         "application/vnd.oasis.opendocument.spreadsheet"],
    )  # fmt: skip
    async def test_of_no_known_type_are_told_which_are(self, usage: Usage, media_type: str) -> None:
        response = await usage.http.post(
            "/usage/activity",
            content=f"{HEADER}\n{line(1)}".encode(),
            headers={**usage.headers, "Content-Type": media_type},
        )
        assert problems(response) == [("HTTP-CONTENT-TYPE", "/header/content-type")]
        expected = response.json()["problems"][0]["expected"]
        assert "text/csv" in expected
        assert sheets.MEDIA_TYPE in expected

    @pytest.mark.parametrize(
        "content",
        [
            sheets.OLE + b"x" * 500,
            sheets.ZIP + b"x" * 500,
            zipped({"a": b"b"}),
            zipped({f"{number}": b"" for number in range(1001)}),
            zipped({"xl/workbook.xml": b"\0" * (sheets.MAX_UNFOLDED + 1)}),
            zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
            zipped({"[Content_Types].xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}),
        ],
        ids=["before 2007", "not a ZIP", "not a workbook", "parts", "unfolds", "ods", "no types"],
    )
    async def test_that_cannot_be_read_are_refused(self, usage: Usage, content: bytes) -> None:
        response = await sent(usage, content)
        assert problems(response) == [("XLSX-UNREADABLE", "/")]
        assert response.json()["problems"][0]["expected"]

    async def test_of_another_office_are_told_what_to_do(self, usage: Usage) -> None:
        """LibreOffice saves as .ods where nobody says otherwise; pandas writes its index first."""
        ods = zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"})
        [problem] = (await sent(usage, ods)).json()["problems"]
        assert problem["expected"] == "the sheet saved as XLSX or CSV"
        indexed = f";{HEADER}\n0;{line(1)}\n"
        [problem] = (await sent(usage, indexed)).json()["problems"]
        assert "index=False" in problem["expected"]

    async def test_that_are_wider_than_is_read_lose_no_column_in_silence(
        self, usage: Usage
    ) -> None:
        book = Workbook()
        for row in self.CELLS:
            book.active.append([*row, *[None] * 60, "x"])
        out = io.BytesIO()
        book.save(out)
        assert problems(await sent(usage, out.getvalue())) == [("XLSX-UNREADABLE", "/")]

    async def test_with_breaks_in_cells_keep_the_numbers_of_lines(self, usage: Usage) -> None:
        bad = line(2, act_id='"on\nthree\nlines"')
        content = "\n".join([HEADER, line(1), bad, line(3, kind="x")])
        assert problems(await sent(usage, content)) == [
            ("CSV-STRING-PATTERN-MISMATCH", "/lines/3/act_id"),
            ("CSV-LITERAL-ERROR", "/lines/6/kind"),
        ]

    async def test_say_of_a_line_everything_that_is_wrong(self, usage: Usage) -> None:
        bad = line(1, kind="x", structure="12", act_at="demain")
        assert problems(await sent(usage, f"{HEADER}\n{bad}")) == [
            ("CSV-DATE", "/lines/2/act_at"),
            ("CSV-LITERAL-ERROR", "/lines/2/kind"),
            ("CSV-STRING-PATTERN-MISMATCH", "/lines/2/structure"),
        ]

    async def test_that_repeat_an_act_count_it_once_and_say_so(self, usage: Usage) -> None:
        lines = [line(1), line(2), line(1), line(2, act_at="2022-03-15T10:00:00+01:00")]
        response = await sent(usage, "\n".join([HEADER, *lines]), on_error="skip")
        body = response.json()
        assert (body["declared"], body["repeated"]) == (2, 1)
        assert [(it["rule"], it["path"]) for it in body["refused"]] == [
            ("CSV-CONTRADICTION", "/lines/5/act_id")
        ]
        assert "line 3" in body["refused"][0]["message"]
        assert await usage.counted() == (0, 2)


class TestRefusals:
    @pytest.mark.parametrize(
        ("bad", "found"),
        [
            (line(2, kind="x"), ("CSV-LITERAL-ERROR", "/lines/3/kind")),
            (line(2, act_at="yesterday"), ("CSV-DATE", "/lines/3/act_at")),
            (line(2, act_at="27/03/2022 02:30"), ("CSV-DATE", "/lines/3/act_at")),
            (line(2, act_at="01/01/1900"), ("CSV-GREATER-THAN-EQUAL", "/lines/3/act_at")),
            (line(2, act_at="01/01/2100"), ("CSV-LESS-THAN", "/lines/3/act_at")),
            (line(2, act_at="9999-12-31T23:59:59-14:00"), ("CSV-LESS-THAN", "/lines/3/act_at")),
            (line(2, structure="10780062"), ("CSV-STRING-PATTERN-MISMATCH", "/lines/3/structure")),
            (line(2, act_id="2 79 03 51 215 189 89"), ("ACT-NIR", "/lines/3/act_id")),
            (line(1, act_at="2022-03-16"), ("CSV-CONTRADICTION", "/lines/3/act_id")),
            (line(2, structure="1"), ("CSV-STRING-PATTERN-MISMATCH", "/lines/3/structure")),
            (line(2, act_id="=1+1"), ("CSV-FORMULA", "/lines/3/act_id")),
            (line(2, act_id="@x"), ("CSV-FORMULA", "/lines/3/act_id")),
            (line(2, act_id="a\0b"), ("CSV-NUL", "/lines/3")),
            (line(2, act_id='"a'), ("CSV-QUOTE", "/lines/3")),
            (line(2, domain=""), ("ACT-DOMAIN", "/lines/3/domain")),
            (line(2) + ";x", ("CSV-CELLS", "/lines/3")),
            (line(2, act_id="x" * 20_000), ("CSV-LINE", "/lines/3")),
            (line(2, act_id="279035121518989"), ("ACT-NIR", "/lines/3/act_id")),
        ],
    )
    async def test_counts_nothing_and_names_the_line(
        self, usage: Usage, bad: str, found: tuple[str, str]
    ) -> None:
        response = await sent(usage, "\n".join([HEADER, line(1), bad, line(3)]))
        assert problems(response) == [found]
        assert all(it["expected"] for it in response.json()["problems"])
        assert "279035121518989" not in response.text
        assert await usage.counted() == (0, 0)
        assert await usage.events_told() == 0

    async def test_names_every_bad_line_of_the_file(self, usage: Usage) -> None:
        lines = [line(n, kind="x") if n % 2 else line(n) for n in range(2100)]
        response = await sent(usage, "\n".join([HEADER, *lines]))
        found = problems(response)
        assert (len(found), found[0][1], found[-1][1]) == (
            1000,
            "/lines/3/kind",
            "/lines/2001/kind",
        )
        assert "1050 problems" in response.json()["detail"]

    async def test_counts_the_good_lines_when_asked_to(self, usage: Usage) -> None:
        content = "\n".join([HEADER, line(1), line(2, kind="x"), line(3)])
        response = await sent(usage, content, on_error="skip")
        body: dict[str, Any] = response.json()
        assert (response.status_code, body["declared"]) == (201, 2)
        assert [it["path"] for it in body["refused"]] == ["/lines/3/kind"]
        assert await usage.counted() == (0, 2)

    async def test_goes_on_when_a_line_is_not_text(self, usage: Usage) -> None:
        content = "\n".join([HEADER, line(1)]).encode() + b"\n\x81\xfe;;;;\n"
        assert problems(await sent(usage, content)) == [("CSV-ENCODING", "/lines/3")]

    @pytest.mark.parametrize(
        ("header", "rules"),
        [
            (b"", ["CSV-COLUMN"] * 3),
            (b"kind;act_id;act_at;who", ["CSV-COLUMN"]),
            (b"kind;act_id;act_at;kind", ["CSV-COLUMN"]),
            (b"\x81kind", ["CSV-ENCODING"]),
            (b"k\0i\0n\0d\0", ["CSV-NUL"]),
        ],
    )
    async def test_refuses_a_header_that_says_nothing(
        self, usage: Usage, header: bytes, rules: list[str]
    ) -> None:
        found = problems(await sent(usage, header + b"\n"))
        assert [rule for rule, _ in found] == rules

    async def test_refuses_a_file_without_an_act(self, usage: Usage) -> None:
        response = await sent(usage, HEADER + "\n\n")
        assert (response.status_code, response.json()["error"]) == (400, "file_empty")
