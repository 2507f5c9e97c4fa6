"""The text after DATA, however it is cut into pieces on its way."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mss.smtp.data import read_text
from tests.patience import PATIENCE_SECONDS

LIMIT, LINE = 5000, 1001


async def read(wire: bytes, cut: int) -> tuple[bytes | str, bytes]:
    """What is read, and what is left for the next command."""
    reader = asyncio.StreamReader()
    reading = asyncio.ensure_future(read_text(reader, LIMIT, LINE))
    for start in range(0, len(wire), cut):
        reader.feed_data(wire[start : start + cut])
        await asyncio.sleep(0)
    text = await asyncio.wait_for(reading, PATIENCE_SECONDS)
    reader.feed_eof()
    return text, await reader.read()


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n...\r\n..a\r\n.\r\n", b".\r\n..\r\n.a\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
        (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"x" * 999 + b"\r\n.\r\n", b"x" * 999 + b"\r\n"),
        (b"x" * 1000 + b"\r\n.\r\n", "too_long"),
        (b"x" * 600 + b"\n" + b"x" * 600 + b"\r\n.\r\n", "too_long"),
        (b"y\r\n" * 2000 + b".\r\n", "too_much"),
    ],
)
async def test_ends_at_a_dot_alone_between_crlf(wire: bytes, text: bytes | str, cut: int) -> None:
    assert await read(wire + b"QUIT\r\n", cut) == (text, b"QUIT\r\n")


@given(
    lines=st.lists(st.binary(max_size=30).filter(lambda line: b"\r\n" not in line), max_size=20),
    cut=st.integers(1, 50),
)
def test_gives_back_what_was_sent(lines: list[bytes], cut: int) -> None:
    # A line that ends with CR would make another pair with the LF of its end.
    lines = [line.rstrip(b"\r") for line in lines]
    wire = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    text = b"".join(line + b"\r\n" for line in lines)
    assert asyncio.run(read(wire + b".\r\n", cut)) == (text, b"")


async def test_tells_when_the_client_goes_away() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"half of a mess")
    reader.feed_eof()
    with pytest.raises(ConnectionResetError):
        await read_text(reader, LIMIT, LINE)
