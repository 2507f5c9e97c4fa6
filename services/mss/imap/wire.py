"""How values are written to the client (RFC 3501 §4)."""

import re
from datetime import datetime

from services.mss.imap.parser import MONTHS

_PLAIN = re.compile(rb"[\x20\x21\x23-\x5b\x5d-\x7e]*")


def string(value: bytes) -> bytes:
    """Quoted where it can be, else a literal."""
    if len(value) < 1000 and _PLAIN.fullmatch(value):
        return b'"' + value + b'"'
    return literal(value)


def literal(value: bytes) -> bytes:
    """NUL may not stand in a literal (RFC 3501 §9, CHAR8): it goes out as 0x80, as from other servers."""
    if b"\x00" in value:
        value = value.replace(b"\x00", b"\x80")
    return b"{%d}\r\n" % len(value) + value


def nstring(value: bytes | None) -> bytes:
    return b"NIL" if value is None else string(value)


def plist(values: list[bytes]) -> bytes:
    return b"(" + b" ".join(values) + b")"


def flags(values: list[str]) -> bytes:
    return plist([value.encode() for value in sorted(values)])


def internal_date(at: datetime) -> bytes:
    """The day is padded with a space (date-day-fixed)."""
    month = MONTHS[at.month - 1].capitalize()
    return f'"{at.day:2d}-{month}-{at:%Y %H:%M:%S %z}"'.encode()
