"""Whatever octets come by MLLP: an answer or a closed door, and never more memory than is allowed."""

import asyncio
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mss.hl7v2 import er7
from services.mss.hl7v2.delivery_notices import read_notice
from services.mss.hl7v2.er7 import UnreadableMessageError, parse
from services.mss.hl7v2.mllp import END, START, Mllp
from services.mss.hl7v2.reading import read_order
from services.mss.hl7v2.receipts import read_receipt
from socle.testing.hl7_orders import order

WHOLE = order().encode()
MAX_BYTES = 100_000
_marks = st.sampled_from([b"|^~\\&", b"\0\0\0\0\0", b"^|&~\\", b"|||||", b"abcde", b"\r\n^~&"])
_pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b"\0", b"\x0b", b"\x1c\r", b"\xff", b"\xc3",
         b"MSH", b"OBX", b"PRT", b"PID", b"\\X00\\", b"\\X4\\", b"\\.br\\", b"Y", b"DESTDMP",
         b"MetaDMPMSS", b"SB", b"RCT", "é€\U0001f600".encode(), "\u2028\ud7ff".encode()]
    ),
)  # fmt: skip


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A right message, with pieces put in, taken out, cut off, or its marks and charset changed."""
    message = bytearray(WHOLE)
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(message)))
        length = draw(st.sampled_from([0, 0, 1, 5, 50]))
        message[place : place + length] = draw(_pieces)
    out = bytes(message)
    if draw(st.booleans()):
        out = b"MSH" + draw(_marks) + out[8:]
    if draw(st.booleans()):
        out = out.replace(
            b"UNICODE UTF-8", draw(st.sampled_from([b"8859/15", b"ASCII", b"", b"\0"]))
        )
    return out[: draw(st.integers(0, len(out)))] if draw(st.booleans()) else out


def read(raw: bytes) -> None:
    try:
        message = parse(raw)
    except UnreadableMessageError:
        return
    found = read_order(message)
    assert found.faults or found.documents
    for segment in message.segments:
        assert segment.location(3)
        segment(5, 40, 40)


def read_head(raw: bytes) -> None:
    head = er7.read_head(raw)
    assert head is None or head.msh.name == "MSH"


@given(st.one_of(st.binary(max_size=300), changed()))
@settings(max_examples=300, deadline=None)
def test_any_octets_are_read_or_told_by_a_code(raw: bytes) -> None:
    read_head(raw)
    read(raw)


@pytest.mark.parametrize(
    "hostile",
    [b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b"\rOBX", b"\rOBX|1|CE|x^y^MetaDMPMSS||Y",
     b"\rPRT||UC||RCT^x^y|||||||||||^^X.400^a@b.mssante.fr", b"\0", b"\\X00\\"],
)  # fmt: skip
def test_separators_alone_hold_no_more_than_a_few_times_their_size(hostile: bytes) -> None:
    size = 2_000_000
    raw = WHOLE[:200].partition(b"\r")[0] + b"\rPID|||" + hostile * (size // len(hostile))
    tracemalloc.start()
    try:
        read(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * size, f"{peak / size:.1f} times"


@given(st.lists(st.one_of(_pieces, st.sampled_from([START + b"x" + END, START + WHOLE])), max_size=12),
       st.integers(1, 5000))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_stream_is_answered_frame_by_frame_or_closed(pieces: list[bytes], step: int) -> None:
    stream = b"".join(pieces)
    handled: list[bytes] = []

    async def handle(message: bytes) -> bytes:
        handled.append(message)
        return b"ok"

    answer, held = asyncio.run(_through(handle, stream, step))
    assert held == 0
    answers = (START + b"ok" + END) * len(handled)
    assert answer in (answers, answers + START + b"no" + END)
    assert all(START not in it and END not in it for it in handled)


@pytest.mark.parametrize(
    ("stream", "handled"),
    [
        (START + b"a" + END + START + b"b" + END, [b"a", b"b"]),
        (START + b"cut" + START + b"whole" + END, [b"whole"]),
        (b"\r\n" + START + b"a" + END + b"\r\n" + START + b"b" + END, [b"a", b"b"]),
        (START + b"a\x1cb" + END, [b"a\x1cb"]),
        (START + b"a", []),
        (b"x" * 2000 + START + b"a" + END, []),
        (END, []),
        (START + b"x" * (MAX_BYTES + 1) + END, []),
    ],
)
def test_frames_are_told_apart(stream: bytes, handled: list[bytes]) -> None:
    found: list[bytes] = []

    async def handle(message: bytes) -> bytes:
        found.append(message)
        return b"ok"

    asyncio.run(_through(handle, stream, 7000))
    assert found == handled


async def _through(handle, stream: bytes, step: int) -> tuple[bytes, int]:  # type: ignore[no-untyped-def]
    """What the listener answers to a stream that comes in steps, without a socket; and what it holds
    then."""
    listener = Mllp(
        handle, lambda *_: b"no", max_bytes=MAX_BYTES, max_held=MAX_BYTES * 2, max_connections=1,
        idle_seconds=5,
    )  # fmt: skip
    reader = asyncio.StreamReader()
    for start in range(0, len(stream), step):
        reader.feed_data(stream[start : start + step])
    reader.feed_eof()
    writer = _Written()
    await listener._serve(reader, writer)  # type: ignore[arg-type]
    return bytes(writer.content), listener._held


class _Written:
    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, octets: bytes) -> None:
        self.content += octets

    async def drain(self) -> None:
        return None

    def close(self) -> None:
        return None


_report = st.lists(
    st.one_of(
        _pieces,
        st.sampled_from(
            [b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n",
             b"--b\r\nContent-Type: message/delivery-status\r\n\r\n", b"--b--\r\n", b"\r\n\r\n",
             b"--b\r\nContent-Type: message/disposition-notification\r\n\r\n",
             b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@b>\r\n",
             b"Action: failed\r\n", b"Action: delivered\r\n", b"Status: 5.1.1\r\n",
             b"Final-Recipient: rfc822; a@b\r\n", b"Diagnostic-Code: smtp; 550 x\r\n",
             b"Original-Message-ID: <a@b>\r\n", b"Disposition: x; processed/error: 999^x\r\n"]
        ),
    ),
    max_size=14,
)  # fmt: skip


@given(_report)
@settings(max_examples=200, deadline=None)
def test_any_mail_is_a_report_or_none(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    notice = read_notice(content)
    assert notice is None or notice.recipients
    read_receipt(content)


@given(st.text(max_size=60))
@settings(deadline=None)
def test_what_is_escaped_comes_back(value: str) -> None:
    kept = "".join(char for char in " ".join(value.split()) if char.isprintable()).strip()
    written = er7.write([["MSH", "^~\\&", er7.escaped(value)]])
    assert parse(written).msh(3) == kept
