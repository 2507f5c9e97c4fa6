"""The IMAP grammar, sequence sets and FETCH items."""

from datetime import UTC, date, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mss.imap import wire
from services.mss.imap.errors import Bad
from services.mss.imap.fetch_items import parse_items
from services.mss.imap.parser import Parser
from services.mss.imap.sequences import SequenceSet, compact


class TestStrings:
    @given(st.binary(max_size=60))
    def test_come_back_as_they_were_written(self, value: bytes) -> None:
        parser = Parser(wire.string(value))
        assert parser.string() == value.replace(b"\0", b"\x80")  # CHAR8 has no NUL
        parser.end()

    def test_are_refused_when_the_literal_is_short(self) -> None:
        with pytest.raises(Bad):
            Parser(b"{5}\r\nabc").string()

    def test_undo_escapes(self) -> None:
        assert Parser(rb'"a\"b\\c"').astring() == rb'a"b\c'

    def test_know_inbox_in_any_case(self) -> None:
        assert Parser(b"iNbOx").mailbox() == "INBOX"


class TestDates:
    def test_are_read_to_the_second_and_the_zone(self) -> None:
        read = Parser(b'" 1-Feb-2026 10:00:00 +0100"').date_time()
        assert read == datetime(2026, 2, 1, 9, tzinfo=UTC)
        assert Parser(b"1-Feb-2026").date() == date(2026, 2, 1)

    @pytest.mark.parametrize("text", [b"31-Feb-2026", b"1-Foo-2026", b"2026-02-01"])
    def test_are_refused_when_there_is_no_such_day(self, text: bytes) -> None:
        with pytest.raises(Bad):
            Parser(text).date()


class TestFlags:
    def test_have_one_spelling(self) -> None:
        assert Parser(rb"(\sEEN work)").flags() == ["\\Seen", "work"]

    def test_are_refused_when_they_are_the_servers(self) -> None:
        with pytest.raises(Bad):
            Parser(rb"(\Recent)").flags()


class TestSequences:
    @pytest.mark.parametrize(
        ("text", "chosen"),
        [
            ("2", [2]),
            ("*", [9]),
            ("4:2", [2, 4]),
            ("5:*", [9]),
            ("*:1", [1, 2, 4, 9]),
            ("99:*", [9]),
        ],
    )
    def test_choose_among_what_is_there(self, text: str, chosen: list[int]) -> None:
        assert SequenceSet(text).select([1, 2, 4, 9]) == chosen

    @given(
        st.sets(st.integers(1, 40)),
        st.lists(st.tuples(st.integers(1, 45), st.integers(1, 45)), min_size=1, max_size=8),
    )
    def test_choose_what_lies_in_any_range(
        self, there: set[int], ranges: list[tuple[int, int]]
    ) -> None:
        text = ",".join(f"{low}:{high}" for low, high in ranges)
        expected = [n for n in sorted(there) if any(min(r) <= n <= max(r) for r in ranges)]
        assert SequenceSet(text).select(sorted(there)) == expected

    def test_of_thousands_of_ranges_are_walked_once(self) -> None:
        before = process_time()
        wanted = SequenceSet(",".join(f"{n}:{n}" for n in range(1, 9000)))
        assert len(wanted.select(range(1, 20_001))) == 8999
        assert process_time() - before < 2

    def test_choose_nothing_when_there_is_nothing(self) -> None:
        assert SequenceSet("1:*").select([]) == []

    def test_are_refused_when_zero(self) -> None:
        with pytest.raises(Bad):
            SequenceSet("0")

    @given(st.sets(st.integers(1, 300)))
    def test_are_written_shortest(self, numbers: set[int]) -> None:
        ordered = sorted(numbers)
        if ordered:
            assert SequenceSet(compact(ordered)).select(ordered) == ordered


class TestFetchItems:
    def test_read_sections_and_partials(self) -> None:
        (item,) = parse_items(Parser(b"BODY.PEEK[1.2.HEADER.FIELDS (Date To)]<10.20>"))
        assert (item.path, item.text, item.partial, item.peek) == (
            (1, 2),
            "HEADER.FIELDS",
            (10, 20),
            True,
        )
        assert item.fields == (b"date", b"to")
        assert item.label == b"BODY[1.2.HEADER.FIELDS (Date To)]<10>"

    @pytest.mark.parametrize("text", [b"(FLAGS", b"BODY[0]", b"BODY[MIME]", b"BODY[1.]", b"NAME"])
    def test_are_refused_when_they_break_the_grammar(self, text: bytes) -> None:
        with pytest.raises(Bad):
            parse_items(Parser(text))
