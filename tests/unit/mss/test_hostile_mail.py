"""Mails that no reader may stumble over: what is stored once is read for ever, by every client."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import process_time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mss.domain.conversation import read_incoming
from services.mss.domain.headers import MAX_HEADER, decoded, parse_header, read_facts, split_header
from services.mss.domain.integration_notice import (
    NoNoticeError,
    Notice,
    Received,
    Result,
    write_notice,
)
from services.mss.domain.mime import MAX_PARTS, Part, parse
from services.mss.domain.read_receipt import is_report, read_receipt
from services.mss.imap.fetch_items import Fetched, parse_items, render, section
from services.mss.imap.parser import Parser
from services.mss.imap.search import Bounds, Candidate, parse_query
from services.mss.imap.structure import body_structure

from .mails import report

AT = datetime(2026, 3, 1, tzinfo=UTC)
EVERYTHING = parse_items(Parser(b"(ENVELOPE BODYSTRUCTURE BODY BODY[HEADER.FIELDS (Subject)])"))
KEYS = b"OR SENTON 1-Mar-2026 OR FROM x OR TEXT x SUBJECT x"

FIELDS = [
    b"From: " + b"(" * 3000, b"To: " + b"a:" * 5000, b"Reply-To: " + b"(" * 3000,
    b"Disposition-Notification-To: " + b"(" * 3000, b"From: " + b'"' * 50_000,
    b"Content-Type: multipart/mixed; boundary*=idna''a..b", b"Content-Type: a/b; name*=idna''a..b",
    b"Content-Type: multipart/mixed; boundary*=a\0''%ff",
    b"Content-Type: multipart/mixed; boundary*=utf-7''%2b2AA-",
    b"Content-Type: text/plain; charset*=idna''x", b'Content-Type: text/plain; charset="a\0b"',
    b"Content-Type: text/plain; charset=idna", b"Content-Type: text/plain; charset=utf-7",
    b"Content-Disposition: attachment; filename*=idna''a..b",
    b"Content-Disposition: attachment; filename*0*=utf-7''%2b2AA-; filename*9=x; filename*x*=y; *=z",
    b"Content-Transfer-Encoding: \0\xff", b"Subject: =?utf-7?q?+2AA-?=", b"Subject: =?utf-8?b?A?=",
    b"Subject: =?raw_unicode_escape?q?=5Cud800?=", b"Subject: =?idna?q?a..b?=", b"Subject: \xff\xfe",
    b"Date: Mon, 1 Jan 99999999999999999999999 00:00:00 +0000",
    b"Date: Mon, 1 Jan 2026 00:00:00 +99999999999999999999", b"Date: \xff",
    b"Content-Type: multipart/report; report-type*=idna''a..b; boundary=b",
    b"Message-ID: <[>@x>", b"In-Reply-To: <[\0]>", b"no colon here", b": no name", b" starts folded",
]  # fmt: skip


def read_by_all(raw: bytes) -> None:
    """Raises what any reader of the service raises."""
    header = raw[: split_header(raw)]
    fields = parse_header(header)
    b"".join(render(EVERYTHING, Fetched(1, [], AT, len(raw), header, raw)))
    candidate = Candidate(1, 1, frozenset(), AT, len(raw), header, raw)
    parse_query(Parser(KEYS), Bounds([1], [1])).matches(candidate)
    report(raw)
    read_facts(header)
    read_incoming(fields, "kit@socle.mssante.fr", is_report=is_report(fields))
    read_receipt(raw)
    orjson.dumps([decoded(value) for value in fields.values()])
    notice = Notice(Result(None, ""), "<1@x>", AT, form="mail", max_bytes=25_000_000)
    with suppress(NoNoticeError):
        write_notice(Received(raw, "a@socle.mssante.fr", "b@socle.mssante.fr", "A"), notice)


@pytest.mark.parametrize("field", FIELDS)
def test_any_field_is_read(field: bytes) -> None:
    read_by_all(field + b"\r\nX: y\r\n\r\n--\r\n\r\nbonjour\r\n")


LINES = [*FIELDS, b"", b"--b", b"--b--", b"--\xff"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(range(len(LINES))), max_size=6),
    st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n\r\n"]),
)
def test_any_mix_of_fields_is_read(chosen: list[int], end: bytes) -> None:
    read_by_all(end.join(LINES[n] for n in chosen))


class TestCosts:
    """A second of one core at most, where minutes were possible."""

    @pytest.fixture(autouse=True)
    def bounded(self) -> Iterator[None]:
        before = process_time()
        yield
        assert process_time() - before < 5

    def test_lines_without_a_colon(self) -> None:
        header = b"Subject: x\r\n" + (b"a" * 996 + b"\r\n") * 200 + b"\r\n"
        (item,) = parse_items(Parser(b"BODY[HEADER.FIELDS (Subject)]"))
        assert section(item, parse(header)) == b"Subject: x\r\n\r\n"

    def test_a_header_without_end(self) -> None:
        raw = b"a: b\r\n" * 1_000_000
        at = split_header(raw)
        assert MAX_HEADER - 6 <= at <= MAX_HEADER
        assert at % 6 == 0  # between two fields
        root = parse(raw)
        assert root.header + root.content == raw
        assert len(root.headers) == at // 6

    def test_a_header_of_one_endless_line(self) -> None:
        root = parse(b"a" * 1_000_000)
        assert (len(root.header), len(root.content)) == (MAX_HEADER, 1_000_000 - MAX_HEADER)

    def test_a_million_delimiters(self) -> None:
        raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 1_000_000
        tracemalloc.start()
        try:
            assert len(parse(raw).children) < MAX_PARTS
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 20_000_000

    def test_parts_with_large_headers(self) -> None:
        part = b"--a\r\n" + b"b: c\r\n" * 40_000 + b"\r\nx\r\n"
        root = parse(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + part * 50)
        assert 0 < len(root.children) < 10

    @pytest.mark.parametrize("depth", [30, 4000])
    def test_notices_nested_in_each_other(self, depth: int) -> None:
        kind = b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
        assert (
            read_receipt(kind + b"--b\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * depth)
            is None
        )
        nested = b"".join(
            b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
            for n in range(depth)
        )
        assert read_receipt(kind.replace(b"=b\r", b"=b0\r") + nested) is None


def depth_of(part: Part) -> int:
    return 1 + max(map(depth_of, part.children), default=0)


def test_a_message_that_is_nested_too_deeply_is_shown_as_octets() -> None:
    """A message/rfc822 must show envelope and structure of what is in it (RFC 3501 §9, body-type-msg)."""
    root = parse(b"Content-Type: message/rfc822\r\n\r\n" * 1000)
    assert depth_of(root) == 21
    shown = body_structure(root, extended=False)
    assert b'("APPLICATION" "OCTET-STREAM" NIL NIL NIL "7BIT" ' in shown
    assert shown.count(b'"RFC822"') == 20
