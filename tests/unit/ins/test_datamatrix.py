"""The INS datamatrix: the published vector, both ways, and what a bad one is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ins.domain.datamatrix import GS, HEADER, Scanned, decode, encode
from services.ins.domain.person import RegisteredIns
from services.ins.domain.population import person, size
from socle.ids.traits import Traits

# The vector of the working notes, as a public library has it in its tests.
VECTOR = (
    "IS010000000000000000000000S1185057512345673S21.2.250.1.213.1.4.8\x1dS3ADA\x1dS4LOVELACE\x1d"
    "S5FS610-12-1815S799100"
)
ADA = Traits("LOVELACE", "ADA", "F", "1815-12-10", "99100")
NUMBER = RegisteredIns("1.2.250.1.213.1.4.8", "1850575123456", "73")
GOOD = encode(ADA, RegisteredIns("1.2.250.1.213.1.4.10", "2790351215189", "89"))


def rules(text: str) -> list[str]:
    scanned, problems = decode(text)
    assert (scanned is None) == bool(problems)
    return [
        f"{problem.rule.removeprefix('INS-DATAMATRIX-')} {problem.path}" for problem in problems
    ]


class TestVector:
    def test_is_what_we_write(self) -> None:
        assert encode(ADA, NUMBER) == VECTOR
        assert len(VECTOR) == 104

    def test_is_what_we_read(self) -> None:
        assert decode(VECTOR) == (Scanned(ADA, NUMBER), [])

    def test_an_oid_of_full_length_has_no_separator(self) -> None:
        assert "S21.2.250.1.213.1.4.10S3ADA\x1d" in GOOD

    def test_a_name_of_full_length_has_no_separator(self) -> None:
        long = Traits("A" * 100, "ADA", "F", "1815-12-10")
        assert "S4" + "A" * 100 + "S5F" in encode(long, NUMBER)

    def test_an_unknown_place_is_left_out(self) -> None:
        assert encode(Traits("A", "B", "F", "1815-12-10"), NUMBER).endswith("S610-12-1815")


@given(st.integers(0, size() - 1))
def test_whatever_was_written_is_read(number: int) -> None:
    one = person(number)
    scanned, problems = decode(encode(one.traits, one.active))
    assert problems == []
    assert scanned is not None
    assert scanned.traits == one.traits
    assert scanned.ins == one.active


@given(st.text(max_size=200), st.integers(0, 200))
def test_no_text_makes_it_fail(text: str, cut: int) -> None:
    for tried in (text, HEADER + text, GOOD[:cut] + text, GOOD[:cut]):
        scanned, problems = decode(tried)
        assert (scanned is None) == bool(problems)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", ["ENTETE /"]),
            (GOOD.replace("IS01", "IS02"), ["ENTETE /"]),
            (GOOD.replace("S5F", ""), ["CHAMP /S5"]),
            (GOOD.replace("S5F", "S5FS5F"), ["CHAMP /S5"]),
            (GOOD.replace("S5F", "S5X"), ["VALEUR /S5"]),
            (GOOD.replace("S610-12-1815", "S61815-12-10"), ["VALEUR /S6"]),
            (GOOD.replace("S5F", f"S5F{GS}"), ["SEPARATEUR /S5"]),
            (GOOD + GS, ["SEPARATEUR /S7"]),
            (GOOD.replace(".10S3", f".10{GS}S3"), ["SEPARATEUR /S2"]),
            (GOOD.replace("ADA", "Ada"), ["VALEUR /S3"]),
            (GOOD + "S8X", ["CHAMP /S8"]),
            (GOOD.replace("89S2", "88S2"), ["INS-MATRICULE /matricule"]),
            (HEADER + "x" * 3000, ["LONGUEUR /"]),
        ],
    )
    def test_with_its_reason(self, text: str, found: list[str]) -> None:
        assert rules(text) == found

    def test_names_all_that_is_wrong(self) -> None:
        bad = GOOD.replace("S5F", "S5X").replace("S610-12-1815", "S61815-12-10")
        assert rules(bad) == ["VALEUR /S5", "VALEUR /S6"]


def test_a_scanner_may_say_its_symbology() -> None:
    assert decode("]d1" + GOOD)[0] == decode(GOOD)[0]
