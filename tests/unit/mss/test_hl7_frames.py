"""What is refused before it is a message is told why, by an answer that its sender can read."""

import asyncio
from datetime import UTC, datetime

import hl7
import pytest

from services.mss.hl7v2 import answers
from services.mss.hl7v2.er7 import UnreadableMessageError, parse, read_head
from services.mss.hl7v2.mllp import END, START, Mllp
from services.mss.hl7v2.order import Fault
from socle.testing.hl7_orders import order

WHOLE = order(control_id="c-42").encode()


class Connection:
    """The writer of a connection without a socket."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.is_closed = False

    def write(self, octets: bytes) -> None:
        self.content += octets

    async def drain(self) -> None:
        return None

    def close(self) -> None:
        self.is_closed = True


async def served(stream: bytes, *, ends: bool = True, max_held: int = 9_000_000) -> Connection:
    """`ends`: the sender closes its side; otherwise it waits for an answer."""

    async def handle(message: bytes) -> bytes:
        return b"handled"

    listener = Mllp(
        handle, lambda _, code, text: f"{code} {text}".encode(), max_bytes=2_000_000,
        max_held=max_held, max_connections=1, idle_seconds=600, tail_seconds=0.01,
    )  # fmt: skip
    reader = asyncio.StreamReader()
    reader.feed_data(stream)
    if ends:
        reader.feed_eof()
    connection = Connection()
    await listener._serve(reader, connection)  # type: ignore[arg-type]
    return connection


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (WHOLE, b"AE The frame does not start with VT"),
        (WHOLE + END, b"AE The frame does not start with VT"),
        (b"\r\n.." + START + WHOLE + END, b"AE The frame does not start with VT"),
        (START + WHOLE, b"AE The frame does not end with FS CR"),
        (START + WHOLE + b"\x1c", b"AE The frame ends with FS (0x1C) alone"),
        (START + WHOLE + b"x" * 2_000_000, b"AE A message has 2000000 octets at most"),
    ],
)
def test_a_wrong_frame_is_answered_by_what_is_wrong(stream: bytes, told: bytes) -> None:
    connection = asyncio.run(served(stream))
    assert connection.content.startswith(START + told)
    assert connection.content.endswith(END)
    assert connection.is_closed


def test_who_leaves_the_last_cr_out_and_waits_is_answered() -> None:
    connection = asyncio.run(served(START + WHOLE + b"\x1c", ends=False))
    assert connection.content.startswith(START + b"AE The frame ends with FS (0x1C) alone")


def test_who_is_refused_for_want_of_room_shall_come_again() -> None:
    connection = asyncio.run(served(START + WHOLE + END, max_held=1000))
    assert connection.content.startswith(START + b"AR ")


@pytest.mark.parametrize(
    "stream", [bytes.fromhex("1603010200010001fc0303"), b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"]
)
def test_another_protocol_is_shut_out_at_once(stream: bytes) -> None:
    connection = asyncio.run(served(stream, ends=False))
    assert (bytes(connection.content), connection.is_closed) == (b"", True)


@pytest.mark.parametrize(
    "raw",
    [
        WHOLE.replace(b"UNICODE UTF-8", b"8859/1"),
        WHOLE.replace(b"ADRUN", b"ADR\xff"),
        b"\xef\xbb\xbf" + WHOLE,
        WHOLE + b"obx|1\r",
    ],
)
def test_a_message_that_cannot_be_read_is_answered_under_its_control_id(raw: bytes) -> None:
    """A sender such as HAPI waits for its MSH-10, and would wait in vain."""
    with pytest.raises(UnreadableMessageError):
        parse(raw)
    head = read_head(raw)
    assert head is not None
    fault = Fault(103, "MSH^1^18", "x")
    told = hl7.parse(
        answers.acknowledge(head, "AE", [fault], "a", datetime(2026, 1, 1, tzinfo=UTC)).decode()
    )
    sent = hl7.parse(WHOLE.decode())
    assert [str(it) for it in told.segment("MSA")[1:]] == ["AE", "c-42"]
    assert (str(told[0][5]), str(told[0][6])) == (str(sent[0][3]), str(sent[0][4]))


@pytest.mark.parametrize("raw", [b"", b"hello", b"MSH|^~\\&|a", b"MSH|||||" + WHOLE[8:]])
def test_what_has_no_head_has_nobody_to_answer(raw: bytes) -> None:
    assert read_head(raw) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("r\\Xe9\\sultat", "résultat"),  # as the package `hl7` escapes
        ("r\\XE9\\sultat", "résultat"),
        ("un\\X a\\deux", "un\ndeux"),
        ("un\\.br\\deux\\.sp2\\trois", "un\ndeux\n\ntrois"),
        ("\\H\\urgent\\N\\\\.sk3\\!", "urgent   !"),
        ("\\.in+4\\\\.ti-4\\a\\.fi\\b", "ab"),
        ("\\Zlocal\\ \\X4\\", "\\Zlocal\\ \\X4\\"),
    ],
)
def test_escapes_are_read_in_every_form_that_is_written(text: str, plain: str) -> None:
    message = parse(f"MSH|^~\\&|a\rNTE|1||{text}\r".encode())
    assert message.segments[1](3) == plain


def test_what_python_escapes_is_read_back() -> None:
    written = "Suivi à 6 mois | 5^2 & ~ \\"
    escaped = hl7.parse("MSH|^~\\&|a\r").escape(written)
    assert parse(f"MSH|^~\\&|a\rNTE|1||{escaped}\r".encode()).segments[1](3) == written
