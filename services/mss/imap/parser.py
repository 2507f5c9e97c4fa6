"""The grammar of commands (RFC 3501 §9), on bytes that hold their literals in place."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from services.mss.imap.errors import Bad

_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_LIST_MAILBOX = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"\\]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r\n")
_NUMBER = re.compile(rb"\d{1,10}")
_SEQUENCE = re.compile(
    rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*"
)
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_DATE = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_DATE_TIME = re.compile(rb"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Parser:
    """Reads one command from left to right; what does not fit is a `Bad`."""

    def __init__(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.buffer)

    def peek(self) -> bytes:
        return self.buffer[self.position : self.position + 1]

    def take(self, token: bytes) -> bool:
        """Steps over `token`, in any case, if it stands here."""
        end = self.position + len(token)
        if self.buffer[self.position : end].upper() != token.upper():
            return False
        self.position = end
        return True

    def expect(self, token: bytes) -> None:
        if not self.take(token):
            raise Bad(f"{token.decode()!r} expected at octet {self.position + 1} of the arguments")

    def space(self) -> None:
        self.expect(b" ")

    def end(self) -> None:
        if not self.at_end:
            raise Bad(f"nothing more was expected at octet {self.position + 1} of the arguments")

    def match(self, pattern: re.Pattern[bytes], what: str) -> "re.Match[bytes]":
        found = pattern.match(self.buffer, self.position)
        if found is None:
            raise Bad(f"{what} expected at octet {self.position + 1} of the arguments")
        self.position = found.end()
        return found

    def atom(self) -> str:
        return self.match(_ATOM, "an atom").group().decode("ascii")

    def keyword(self) -> str:
        return self.atom().upper()

    def number(self) -> int:
        return int(self.match(_NUMBER, "a number").group())

    def literal(self) -> bytes:
        size = int(self.match(_LITERAL, "a literal").group(1))
        start = self.position
        self.position += size
        if self.position > len(self.buffer):
            raise Bad("the literal is shorter than announced")
        return self.buffer[start : self.position]

    def string(self) -> bytes:
        if self.peek() == b"{":
            return self.literal()
        quoted = self.match(_QUOTED, "a string").group(1)
        return re.sub(rb"\\(.)", rb"\1", quoted)

    def astring(self) -> bytes:
        if self.peek() in (b"{", b'"'):
            return self.string()
        return self.match(_ASTRING, "an atom or a string").group()

    def mailbox(self) -> str:
        """A folder's name as it travels (modified UTF-7); INBOX in any case (RFC 3501 §5.1)."""
        return folder_name(self.astring())

    def list_mailbox(self) -> str:
        if self.peek() in (b"{", b'"'):
            return folder_name(self.string())
        return folder_name(self.match(_LIST_MAILBOX, "a folder pattern").group())

    def sequence(self) -> str:
        return self.match(_SEQUENCE, "a sequence set").group().decode("ascii")

    def flags(self) -> list[str]:
        """`(\\Seen label)`, or the same without brackets as STORE allows."""
        if not self.take(b"("):
            found = [self._flag()]
            while self.take(b" "):
                found.append(self._flag())
            return found
        found = []
        while not self.take(b")"):
            if found:
                self.space()
            found.append(self._flag())
        return found

    def _flag(self) -> str:
        return canonical_flag(self.match(_FLAG, "a flag").group().decode("ascii"))

    def date(self) -> date:
        quoted = self.take(b'"')
        day, month, year = self.match(_DATE, "a date such as 1-Feb-2026").groups()
        if quoted:
            self.expect(b'"')
        try:
            return date(int(year), _month(month), int(day))
        except ValueError as error:
            raise Bad("no such date") from error

    def date_time(self) -> datetime:
        self.expect(b'"')
        day, month, year, hour, minute, second, sign, east, minutes = self.match(
            _DATE_TIME, 'a date and time such as "01-Feb-2026 10:00:00 +0100"'
        ).groups()
        self.expect(b'"')
        offset = timedelta(hours=int(east), minutes=int(minutes)) * (1 if sign == b"+" else -1)
        try:
            return datetime(
                int(year),
                _month(month),
                int(day),
                int(hour),
                int(minute),
                int(second),
                tzinfo=timezone(offset),
            ).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Bad("no such date and time") from error


_SYSTEM_FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")


def canonical_flag(flag: str) -> str:
    """System flags know no case; only the server sets \\Recent."""
    if not flag.startswith("\\"):
        return flag
    for known in _SYSTEM_FLAGS:
        if flag.lower() == known.lower():
            return known
    raise Bad(f"flags that can be set are {' '.join(_SYSTEM_FLAGS)} and keywords")


def folder_name(raw: bytes) -> str:
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise Bad("folder names are in modified UTF-7 (RFC 3501 section 5.1.3)") from error
    return "INBOX" if name.upper() == "INBOX" else name


def _month(name: bytes) -> int:
    return MONTHS.index(name.decode().upper()) + 1
