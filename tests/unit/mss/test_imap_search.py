"""SEARCH keys over messages."""

from datetime import UTC, datetime

import pytest

from services.mss.imap.errors import Bad, No
from services.mss.imap.parser import Parser
from services.mss.imap.search import Bounds, Candidate, parse_query

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
HEADER = b"From: a@b.fr\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?=\r\nX-MSS-INS: O\r\n\r\n"
MESSAGE = Candidate(
    2, 12, frozenset({"\\Seen"}), datetime(2026, 3, 4, 12, tzinfo=UTC), 500, HEADER,
    HEADER + b"Glycemie",
)  # fmt: skip


def matches(query: bytes) -> bool:
    return parse_query(Parser(query), Bounds([1, 2, 3], [11, 12, 13])).matches(MESSAGE)


def found(text: str, raw: bytes, key: str = "BODY") -> bool:
    coded = text.encode()
    query = b"CHARSET UTF-8 %s {%d}\r\n%s" % (key.encode(), len(coded), coded)
    candidate = Candidate(1, 1, frozenset(), AT, len(raw), raw.partition(b"\r\n\r\n")[0], raw)
    return parse_query(Parser(query), Bounds([1], [1])).matches(candidate)


class TestTexts:
    """RFC 3501 §6.4.4: without transfer encodings and encoded words where a charset is named."""

    @pytest.mark.parametrize(
        ("charset", "encoding", "body"),
        [
            ("utf-8", "quoted-printable", b"R=C3=A9sultat d'h=C3=A9mog=\r\nlobine"),
            ("iso-8859-1", "8bit", b"R\xe9sultat d'h\xe9moglobine"),
            ("windows-1252", "base64", b"UulzdWx0YXQgZCdo6W1vZ2xvYmluZQ=="),
            ("x-nobody-knows", "8bit", "Résultat d'hémoglobine".encode()),
        ],
    )
    def test_are_found_whatever_they_are_encoded_in(
        self, charset: str, encoding: str, body: bytes
    ) -> None:
        header = (
            f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}"
        )
        raw = header.encode() + b"\r\n\r\n" + body
        assert found("d'HÉMOGLOBINE", raw)
        assert found("hémoglobine", raw, "TEXT")
        assert not found("text/plain", raw)
        assert found("text/plain", raw, "TEXT")

    @pytest.mark.parametrize(
        ("charset", "octets"),
        [
            (b"ISO-8859-1", b"\xc9T\xc9"),
            (b"iso-8859-15", b"\xc9T\xc9"),
            (b'"windows-1252"', b"\xc9t\xc9"),
            (b"UTF-8", "ÉTÉ".encode()),
            (b"US-ASCII", "été".encode()),
        ],
    )
    def test_are_asked_for_in_the_charsets_of_clients(self, charset: bytes, octets: bytes) -> None:
        query = b"CHARSET %s SUBJECT {%d}\r\n%s" % (charset, len(octets), octets)
        assert matches(query)

    def test_of_attached_messages_and_names_of_files_are_found(self) -> None:
        raw = (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            b"Subject: =?utf-8?q?b=C3=A9nin?=\r\n\r\ndedans\r\n--b\r\nContent-Type: application/pdf\r\n"
            b"Content-Disposition: attachment; filename=scanner.pdf\r\nContent-Transfer-Encoding: base64"
            b"\r\n\r\nZGVkYW5z\r\n--b--"
        )
        assert found("bénin", raw)
        assert found("dedans", raw)
        assert found("scanner.pdf", raw)
        assert not found("ZGVk", raw)  # the octets of an attachment are no text

    def test_in_a_folded_field_are_found(self) -> None:
        assert found("un deux", b"Subject: un\r\n deux\r\n\r\n", "SUBJECT")


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

    def test_are_refused_when_there_are_too_many(self) -> None:
        for query in (b"ALL " * 1000 + b"ALL", b"NOT TEXT x " * 50 + b"TEXT x"):
            with pytest.raises(No, match="at most"):
                matches(query)

    @pytest.mark.parametrize("query", [b"", b"NOPE", b"(ALL", b"SINCE x", b"NOT " * 80 + b"ALL"])
    def test_are_refused_when_they_break_the_grammar(self, query: bytes) -> None:
        with pytest.raises(Bad):
            matches(query)

    def test_are_refused_when_the_charset_is_unknown(self) -> None:
        with pytest.raises(No, match="UTF-8"):
            matches(b"CHARSET KOI8-R ALL")
