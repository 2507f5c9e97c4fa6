"""The text of a message after DATA, read in pieces: aiosmtpd reads it line by line, at some 17 MB/s."""

import asyncio
from typing import Literal

PIECE = 65_536
END = b"\r\n.\r\n"
Fault = Literal["too_long", "too_much"]


async def read_text(reader: asyncio.StreamReader, limit: int, line_limit: int) -> bytes | Fault:
    """Up to the line that holds a dot alone, without it and with dots as they were (RFC 5321 §4.5.2).

    Only CRLF ends a line: no other sequence hides a second message in the first. A text over `limit`
    octets or with a line over `line_limit` is read to its end and dropped.
    """
    buffer = bytearray(b"\r\n")  # the end may be the first line
    dropped = False
    searched = 0
    while (end := buffer.find(END, searched)) < 0:
        piece = await reader.read(PIECE)
        if not piece:
            raise ConnectionResetError
        if len(buffer) > limit + 2:
            dropped = True
        if dropped:
            del buffer[: -len(END)]
        searched = max(0, len(buffer) - len(END) + 1)
        buffer += piece
    _give_back(reader, bytes(buffer[end + len(END) :]))
    if dropped or end > limit:
        return "too_much"
    text = bytes(memoryview(buffer)[: end + 2])
    return _plain(text, line_limit)


def _plain(text: bytes, line_limit: int) -> bytes | Fault:
    """`text` begins with a CRLF that is not the client's."""
    if _has_longer_line(text, line_limit):
        return "too_long"
    if b"\r\n." in text:
        text = text.replace(b"\r\n.", b"\r\n")
    return text[2:]


def _has_longer_line(text: bytes, limit: int) -> bool:
    """`text` ends with CRLF. From the begin of a line to the last end within the limit, and on from there:
    all lines between are shorter. A step a line would be eighty times as many."""
    begin = 0
    while begin < len(text):
        end = text.rfind(b"\r\n", begin, begin + limit)
        if end < 0:
            return True
        begin = end + 2
    return False


def _give_back(reader: asyncio.StreamReader, rest: bytes) -> None:
    """What the client has sent behind the text. StreamReader has no public way to take it back."""
    if rest:
        reader._buffer[:0] = rest  # type: ignore[attr-defined]
