"""Reading a batch: the good lines are read whatever stands around them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ins.domain.verification_file import (
    COLUMNS,
    CSV,
    JSON_LINES,
    UnreadableFile,
    read_file,
)

HEADER = "reference;oid;matricule;family_name;given_names;sex;birth_date;birth_place"
ZOE = "A1;1.2.250.1.213.1.4.8;275126322074974;ADRUN;ZOE;F;1975-12-31;63220"
MOST = 1000


def read(text: str, media_type: str = CSV) -> list[tuple[int, str, bool]]:
    lines = read_file(text.encode(), media_type, MOST)
    return [(line.number, line.reference, line.claim is not None) for line in lines]


def rules(text: str, media_type: str = CSV) -> list[list[str]]:
    lines = read_file(text.encode(), media_type, MOST)
    return [[problem.rule for problem in line.problems] for line in lines]


class TestCsv:
    @pytest.mark.parametrize("separator", [";", ",", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_takes_the_separators_and_line_ends_that_spreadsheets_write(
        self, separator: str, end: str
    ) -> None:
        text = end.join([HEADER, ZOE, ""]).replace(";", separator)
        assert read(text) == [(2, "A1", True)]

    def test_takes_columns_in_any_order_and_leaves_out_the_optional_ones(self) -> None:
        header = "sex;birth_date;given_names;family_name;matricule;oid"
        line = "F;1975-12-31;ZOE;ADRUN;2751263220749;1.2.250.1.213.1.4.8"
        assert read(f"{header}\n{line}") == [(2, "", True)]

    def test_takes_quotation_marks_and_a_byte_order_mark(self) -> None:
        quoted = ";".join(f'"{cell}"' for cell in ZOE.split(";"))
        content = b"\xef\xbb\xbf" + f"{HEADER}\n{quoted}".encode()
        [line] = read_file(content, CSV, MOST)
        assert line.claim is not None

    def test_names_each_bad_line_by_its_number_and_reads_the_others(self) -> None:
        bad = [
            ZOE.replace("ADRUN", "adrun"),
            ZOE.replace("274974", "274975").replace("2074974", "2074975"),
            "A4;trop;court",
            ZOE.replace("1.2.250.1.213.1.4.8", "1.2.3"),
        ]
        text = "\n".join([HEADER, ZOE, bad[0], "", bad[1], bad[2], ZOE, bad[3]])
        assert [(number, good) for number, _, good in read(text)] == [
            (2, True), (3, False), (5, False), (6, False), (7, True), (8, False),
        ]  # fmt: skip
        assert rules(text) == [
            [], ["INS-LEX-NOM-CARACTERE"], ["INS-MATRICULE"], ["INS-LOT-COLONNES"], [],
            ["INS-MATRICULE"],
        ]  # fmt: skip

    def test_does_not_let_an_open_quotation_swallow_the_rest(self) -> None:
        text = "\n".join([HEADER, ZOE.replace("A1", '"A1'), ZOE])
        assert [good for _, _, good in read(text)] == [True, True]

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (b"", "INS-LOT-ENTETE"),
            (HEADER.encode(), "INS-LOT-VIDE"),
            (b"nom;prenom\nA;B", "INS-LOT-ENTETE"),
            (f"{HEADER};sex\n{ZOE};F".encode(), "INS-LOT-ENTETE"),
            (f"{HEADER};email\n{ZOE};x".encode(), "INS-LOT-ENTETE"),
            (f"{HEADER}\n{ZOE}".encode("utf-16"), "INS-LOT-ENCODAGE"),
        ],
    )
    def test_refuses_the_file_when_no_line_can_be_told(self, content: bytes, rule: str) -> None:
        with pytest.raises(UnreadableFile) as refusal:
            read_file(content, CSV, MOST)
        assert refusal.value.problem.rule == rule

    def test_refuses_more_lines_than_are_allowed(self) -> None:
        text = "\n".join([HEADER, *[ZOE] * 4])
        assert len(read_file(text.encode(), CSV, 4)) == 4
        with pytest.raises(UnreadableFile):
            read_file(text.encode(), CSV, 3)


class TestJsonLines:
    def test_names_each_bad_line_and_reads_the_others(self) -> None:
        good = json.dumps(dict(zip(COLUMNS, ZOE.split(";"), strict=True)))
        bad = ["{", "[]", '{"oid": 3}', json.dumps({**json.loads(good), "more": "x"}), "[" * 5000]
        text = "\n".join([good, *bad, "", good])
        assert [line for line in read(text, JSON_LINES) if line[2]] == [
            (1, "A1", True),
            (8, "A1", True),
        ]
        found = rules(text, JSON_LINES)
        assert [lines[:1] for lines in found[1:-1]] == [
            ["INS-LOT-JSON"], ["INS-LOT-JSON"], ["INS-LOT-CHAMP"], ["INS-LOT-CHAMP"],
            ["INS-LOT-JSON"],
        ]  # fmt: skip


class TestAnything:
    @given(st.binary(max_size=300), st.sampled_from([CSV, JSON_LINES]))
    def test_is_read_or_refused_and_never_breaks(self, noise: bytes, media_type: str) -> None:
        content = HEADER.encode() + b"\n" + ZOE.encode() + b"\n" + noise
        try:
            lines = read_file(content, media_type, MOST)
        except UnreadableFile:
            return
        assert all(line.claim is not None or line.problems for line in lines)
        if media_type == CSV:
            assert lines[0].claim is not None
