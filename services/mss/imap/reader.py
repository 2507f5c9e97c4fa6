"""Reads whole commands: lines, and the literals inside them (RFC 3501 §4.3, LITERAL+ RFC 7888)."""

import asyncio
import re
from collections.abc import Awaitable, Callable

MAX_LINE = 65_536  # clients name thousands of UIDs in one FETCH; other servers take as much
MAX_SMALL_LITERAL = 16_384
MAX_LITERALS = 50
_LITERAL = re.compile(rb"\{(\d{1,10})(\+?)\}$")


class Closed(Exception):
    """The connection is over; `reason` is told to the client where it can still listen."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


async def read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        raise Closed from error
    except asyncio.LimitOverrunError as error:
        raise Closed(f"a line is longer than {MAX_LINE} octets") from error
    except (ConnectionError, OSError) as error:
        raise Closed from error
    return line.rstrip(b"\r\n")


async def read_command(
    reader: asyncio.StreamReader,
    invite: Callable[[], Awaitable[None]],
    max_literal: Callable[[bytes], int],
) -> bytes:
    """One command with its literals in place: `{3}\\r\\nabc`.

    A synchronising literal over the limit is refused before the client sends it; a
    non-synchronising one is on its way already, so the connection ends (RFC 7888 §4).
    """
    command = line = await read_line(reader)
    first = line
    for _ in range(MAX_LITERALS):
        found = _LITERAL.search(line)
        if found is None:
            return command
        size, synchronising = int(found.group(1)), not found.group(2)
        if size > max_literal(first):
            if not synchronising:
                raise Closed("the literal is over the size limit")
            raise Oversized(first)
        if synchronising:
            await invite()
        try:
            literal = await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError, OSError) as error:
            raise Closed from error
        line = await read_line(reader)
        command += b"\r\n" + literal + line
    raise Closed("too many literals")


class Oversized(Exception):
    """A literal that was refused; the client has not sent it."""

    def __init__(self, command: bytes) -> None:
        super().__init__("the literal is over the size limit")
        self.command = command
