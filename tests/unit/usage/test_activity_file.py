"""Activity files as they are written: encodings, quotes, names of columns, dates."""

import codecs
import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.usage.domain.activity_cells import column_of, instant_of, value_of
from services.usage.domain.activity_file import (
    MAX_BREAKS,
    MAX_LINE,
    find_header,
    read_header,
    read_record,
    records,
    split_lines,
)
from services.usage.domain.encodings import decoded, encoding_of

HEADER = "kind;act_id;act_at"


def read(line: str, header: str = HEADER) -> tuple[dict[str, Any] | None, list[str]]:
    known, _ = read_header(1, header)
    assert known is not None
    fields, problems = read_record(known, 2, line)
    return fields, [problem.rule for problem in problems]


class TestLines:
    @given(st.text(alphabet="ab;\n", max_size=60), st.integers(1, 7))
    def test_are_the_same_however_the_file_is_cut(self, content: str, size: int) -> None:
        pieces = (content[at : at + size] for at in range(0, len(content), size))
        lines = content.split("\n")
        assert list(split_lines(pieces)) == (lines if lines[-1] else lines[:-1])

    def test_without_end_are_not_held_whole(self) -> None:
        def endless() -> Iterator[str]:
            for _ in range(1000):
                yield "a" * 10_000

        [line] = split_lines(endless())
        assert len(line) == MAX_LINE + 1

    @given(st.lists(st.text(alphabet='a";', max_size=4), max_size=40))
    def test_are_all_in_some_record_once_and_in_order(self, lines: list[str]) -> None:
        found = list(records(lines))
        assert "\n".join(text for _, text in found).split("\n") == (lines or [""])
        starts = [number for number, _ in found]
        assert starts == sorted(set(starts))
        for number, text in found:
            assert lines[number - 1] == text.split("\n")[0]

    def test_are_one_record_where_a_cell_holds_a_break(self) -> None:
        assert list(records(["a", '"b', 'c";d', "e"])) == [(1, "a"), (2, '"b\nc";d'), (4, "e")]

    def test_whose_quotes_never_end_stand_alone(self) -> None:
        lines = ['"a', *["b"] * (MAX_BREAKS + 5)]
        assert list(records(lines)) == [(number, text) for number, text in enumerate(lines, 1)]


class TestEncodings:
    @pytest.mark.parametrize(
        ("content", "encoding"),
        [
            (b"", "utf-8-sig"),
            (b"kind;id", "utf-8-sig"),
            ("\ufeffdonnée".encode(), "utf-8-sig"),
            ("donnée".encode(), "utf-8-sig"),
            ("donnée".encode("cp1252"), "cp1252"),
            ("d’œuvre à 5 €".encode("cp1252"), "cp1252"),
            (codecs.BOM_UTF16_LE + "donnée".encode("utf-16-le"), "utf-16"),
            (codecs.BOM_UTF16_BE + "donnée".encode("utf-16-be"), "utf-16"),
            ("donnée ".encode() + b"\xe9", "utf-8-sig"),
            (
                "ÉTÉ\u00a0: séjour, opéré, né, âgé, décédé, éventré, hébergé".encode("cp1252"),
                "cp1252",
            ),
        ],
    )
    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_are_told_apart_however_the_file_is_cut(
        self, content: bytes, encoding: str, size: int
    ) -> None:
        if encoding == "utf-16" or content.startswith(codecs.BOM_UTF8):
            size = max(size, 4)  # files are read by blocks: a mark is never cut
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        assert encoding_of(pieces) == encoding

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=50),
           st.sampled_from(["utf-8-sig", "utf-16", "cp1252"]))  # fmt: skip
    def test_give_the_text_back(self, text: str, encoding: str) -> None:
        content = text.encode(encoding, "ignore")
        given_back = "".join(decoded([content], encoding))
        kept = content.decode(encoding)
        assert given_back == kept.replace("\r\n", "\n").replace("\r", "\n")

    @given(st.binary(max_size=60))
    def test_are_found_for_any_bytes(self, content: bytes) -> None:
        "".join(decoded([content], encoding_of([content])))


class TestHeader:
    @pytest.mark.parametrize(
        ("written", "column"),
        [
            ("Type d'acte", "kind"), ("TYPE_ACTE", "kind"), ("N° acte", "act_id"),
            ("Numéro de l'acte", None), ("Numéro d’acte", "act_id"), ("Date/heure", "act_at"),
            ("N° FINESS", "structure"), ("FINESS géographique", None), ("Médecin", "professional"),
            ("Matricule INS", "patient_matricule"), ("Nom du patient", None), ("", None),
        ],
    )  # fmt: skip
    def test_names_are_read_without_case_and_accents(
        self, written: str, column: str | None
    ) -> None:
        assert column_of(written) == column

    def test_may_follow_blank_lines_and_the_line_of_excel(self) -> None:
        found = records(["", ";;", "sep=;", "Type;Numéro;Date;;", "x"])
        header, problems = find_header(found)
        assert header is not None
        assert (header.number, header.delimiter, problems) == (4, ";", [])
        assert header.columns == ("kind", "act_id", "act_at", None, None)

    def test_forgotten_shows_nothing_of_the_first_patient(self) -> None:
        header, problems = read_header(1, "DUPONT;279035121518989;consultation;2022-01-01")
        assert header is None
        told = " ".join(f"{it.message} {it.expected} {it.path}" for it in problems)
        assert "DUPONT" not in told
        assert "2790351" not in told
        assert "column 2" in told


class TestRecords:
    @given(st.text(max_size=300))
    def test_of_any_text_are_read_or_refused(self, line: str) -> None:
        header, problems = read_header(1, line)
        assert (header is None) == bool(problems)
        known, _ = read_header(1, HEADER)
        assert known is not None
        fields, problems = read_record(known, 2, line)
        is_blank = re.fullmatch(r"""[\s;='"\u200b\ufeff]*""", line)
        assert fields is not None or problems or is_blank

    @pytest.mark.parametrize("line", ["", "   ", ";;", '"";" ";', ";;;;;;;;"])
    def test_without_any_value_are_no_acts(self, line: str) -> None:
        assert read(line) == (None, [])

    @pytest.mark.parametrize(
        ("line", "rules"),
        [
            ("fse.sent;1;31/12/2022;;;", []),  # Excel writes delimiters to the widest row
            ("fse.sent;1;31/12/2022", []),
            ("fse.sent;1", ["CSV-MISSING"]),
            ("fse.sent;1;31/12/2022;;x", ["CSV-CELLS"]),
            ("fse.sent;'=cmd|' /C calc'!A0;31/12/2022", ["CSV-FORMULA"]),
            ('fse.sent;"=HYPERLINK(""x"")";31/12/2022', ["CSV-FORMULA"]),
            ("-1;+2;@3", ["CSV-FORMULA"] * 3),
            ('fse.sent;"1"2;31/12/2022', ["CSV-QUOTE"]),
            ("fse.sent;a\0;31/12/2022", ["CSV-NUL"]),
            ("fse.sent;\udce9;31/12/2022", ["CSV-ENCODING"]),
            ("fse.sent;1;44926,58", ["CSV-DATE"]),
            (";;demain", ["CSV-DATE", "CSV-MISSING", "CSV-MISSING"]),
        ],
    )
    def test_tell_everything_that_is_wrong(self, line: str, rules: list[str]) -> None:
        assert read(line)[1] == rules

    def test_take_what_spreadsheets_put_around_numbers(self) -> None:
        header = f"{HEADER};FINESS;RPPS;INS"
        line = 'FSE;="007";31/12/2022;\'75 000 000 1;10\u00a0001\u202f234 567;2 79 03 51 215 189 89'
        fields, problems = read(line, header)
        assert (fields and fields["act_id"], problems) == ("007", [])
        assert fields is not None
        assert (fields["kind"], fields["structure"]) == ("fse.sent", "750000001")
        assert (fields["professional"], fields["patient"]) == (
            "10001234567", {"matricule": "279035121518989"}
        )  # fmt: skip


class TestInstants:
    @pytest.mark.parametrize(
        ("written", "at"),
        [
            ("31/12/2022", "2022-12-30T23:00:00"),
            ("31/12/2022 14:05", "2022-12-31T13:05:00"),
            ("1/7/2022 0:00:00", "2022-06-30T22:00:00"),
            ("30-06-2022 23h59", "2022-06-30T21:59:00"),
            ("31.12.2022 à 14:05", "2022-12-31T13:05:00"),
            ("2022-12-31 14:05:00", "2022-12-31T13:05:00"),
            ("2022-12-31T14:05:00Z", "2022-12-31T14:05:00"),
            ("2022-12-31T14:05:00-03:00", "2022-12-31T17:05:00"),
            ("30/10/2022 02:30", "2022-10-30T00:30:00"),  # twice that night: the first
            ("27/03/2022 03:00", "2022-03-27T01:00:00"),
        ],
    )  # fmt: skip
    def test_are_of_paris_unless_they_say_otherwise(self, written: str, at: str) -> None:
        assert instant_of(written).astimezone(UTC).replace(tzinfo=None) == datetime.fromisoformat(
            at
        )

    @pytest.mark.parametrize(
        "written",
        ["27/03/2022 02:30", "31/12/22", "31/02/2022", "12/31/2022", "31/12/2022 25:00", "2022",
         "20221231", "hier", "1,5E+10", "0000-00-00", "31/12/2022 14:05 PM"],
    )  # fmt: skip
    def test_that_no_clock_shows_are_refused(self, written: str) -> None:
        with pytest.raises(ValueError):
            instant_of(written)

    @given(st.text(max_size=40))
    def test_of_any_text_are_read_or_refused(self, written: str) -> None:
        with contextlib.suppress(ValueError):
            assert isinstance(value_of("act_at", written), datetime)
