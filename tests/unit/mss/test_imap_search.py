"""SEARCH keys over messages."""

from datetime import UTC, datetime

import pytest

from services.mss.imap.errors import Bad, No
from services.mss.imap.parser import Parser
from services.mss.imap.search import Bounds, Candidate, parse_query

HEADER = b"From: a@b.fr\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?=\r\nX-MSS-INS: O\r\n\r\n"
MESSAGE = Candidate(
    2, 12, frozenset({"\\Seen"}), datetime(2026, 3, 4, 12, tzinfo=UTC), 500, HEADER,
    HEADER + b"Glycemie",
)  # fmt: skip


def matches(query: bytes) -> bool:
    return parse_query(Parser(query), Bounds([1, 2, 3], [11, 12, 13])).matches(MESSAGE)


class TestKeys:
    @pytest.mark.parametrize(
        "query",
        [
            b"ALL", b"SEEN", b"UNDELETED", b"2", b"1:*", b"UID 12", b"HEADER X-MSS-INS O",
            b'HEADER X-MSS-INS ""', b"SINCE 4-Mar-2026", b"BEFORE 5-Mar-2026", b"ON 4-Mar-2026",
            b"TEXT a@b", b"BODY glycemie", b"NOT UNSEEN", b"OR UNSEEN 2", b"(SEEN 2) LARGER 499",
            "CHARSET UTF-8 SUBJECT {5}\r\nété".encode(),
        ],
    )  # fmt: skip
    def test_find_the_message(self, query: bytes) -> None:
        assert matches(query)

    @pytest.mark.parametrize(
        "query",
        [b"UNSEEN", b"3", b"UID 11", b"BODY a@b", b"NOT ALL", b"SMALLER 500", b"NEW",
         b"HEADER X-MSS-NIL O", b"SINCE 5-Mar-2026", b"OR UNSEEN 3", b"SENTON 4-Mar-2026"],
    )  # fmt: skip
    def test_leave_the_message(self, query: bytes) -> None:
        assert not matches(query)

    @pytest.mark.parametrize("query", [b"", b"NOPE", b"(ALL", b"SINCE x", b"NOT " * 80 + b"ALL"])
    def test_are_refused_when_they_break_the_grammar(self, query: bytes) -> None:
        with pytest.raises(Bad):
            matches(query)

    def test_are_refused_when_the_charset_is_unknown(self) -> None:
        with pytest.raises(No, match="UTF-8"):
            matches(b"CHARSET KOI8-R ALL")
