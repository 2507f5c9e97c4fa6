"""SEARCH (RFC 3501 §6.4.4): keys become predicates over a message.

Strings are looked for in texts without their transfer encodings, which a charset other than US-ASCII
asks for; in their absence nobody would find a word with an accent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Final

from services.mss.domain.headers import decoded, parse_header
from services.mss.domain.lint.reading import decode
from services.mss.domain.mime import Part, parse
from services.mss.domain.parameters import in_charset
from services.mss.imap.errors import Bad, No
from services.mss.imap.parser import Parser, canonical_flag
from services.mss.imap.selected import RECENT
from services.mss.imap.sequences import SequenceSet

MAX_DEPTH: Final = 50
MAX_KEYS: Final = 1000
CHARSETS: Final = {
    "UTF-8": "utf-8", "US-ASCII": "utf-8", "ISO-8859-1": "cp1252", "ISO-8859-15": "iso8859-15",
    "WINDOWS-1252": "cp1252",
}  # fmt: skip
"""As Python names them. Clients that say US-ASCII, or nothing, send UTF-8 all the same, and those that
say ISO-8859-1 the characters of Windows."""
MAX_TEXTS: Final = 50
"""Keys that read bodies: each walks through 25 MB, and nothing else runs meanwhile."""


@dataclass(frozen=True)
class Candidate:
    """`content` is b"" unless the query reads bodies. Texts are folded, and made once for all keys."""

    number: int
    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    header: bytes
    content: bytes = b""

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Both as text and as they stand: a search may look for either."""
        return list(_fields(self.header))

    @cached_property
    def sent(self) -> date | None:
        try:
            return parsedate_to_datetime(str(parse_header(self.header)["Date"])).date()
        except (TypeError, ValueError, OverflowError):
            return None

    @cached_property
    def body(self) -> str:
        return "\n".join(_texts(parse(self.content)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What `*` and ranges in the query refer to."""

    numbers: list[int]
    uids: list[int]


Predicate = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Query:
    matches: Predicate
    reads_bodies: bool


_FLAGS = {
    "ANSWERED": "\\Answered", "DELETED": "\\Deleted", "DRAFT": "\\Draft", "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}  # fmt: skip
_HEADERS = ("BCC", "CC", "FROM", "SUBJECT", "TO")


def parse_query(parser: Parser, bounds: Bounds) -> Query:
    charset = "utf-8"
    if parser.take(b"CHARSET "):
        named = parser.astring().decode("ascii", "replace").upper()
        if named not in CHARSETS:
            known = " ".join(CHARSETS)
            raise No(f"searches are in one of {known}", f"BADCHARSET ({known})")
        charset = CHARSETS[named]
        parser.space()
    reader = _Reader(parser, bounds, charset)
    keys = [reader.key()]
    while parser.take(b" "):
        keys.append(reader.key())
    parser.end()
    return Query(_all(keys), reader.reads_bodies)


def _all(keys: list[Predicate]) -> Predicate:
    return lambda message: all(key(message) for key in keys)


class _Reader:
    def __init__(self, parser: Parser, bounds: Bounds, charset: str) -> None:
        self.parser = parser
        self.bounds = bounds
        self.charset = charset
        self.reads_bodies = False
        self.depth = 0
        self.keys = 0
        self.texts = 0

    def key(self) -> Predicate:
        self.depth += 1
        self.keys += 1
        if self.depth > MAX_DEPTH:
            raise Bad("the search is nested too deeply")
        if self.keys > MAX_KEYS:
            raise No(f"a search has {MAX_KEYS} keys at most", "LIMIT")
        try:
            return self._key()
        finally:
            self.depth -= 1

    def _key(self) -> Predicate:
        parser = self.parser
        if parser.take(b"("):
            keys = [self.key()]
            while not parser.take(b")"):
                parser.space()
                keys.append(self.key())
            return _all(keys)
        if parser.peek().isdigit() or parser.peek() == b"*":
            chosen = set(SequenceSet(parser.sequence()).select(self.bounds.numbers))
            return lambda message: message.number in chosen
        return self._named(parser.keyword())

    def _named(self, name: str) -> Predicate:
        if name == "ALL":
            return lambda _: True
        if name in ("RECENT", "OLD"):
            return _flagged(RECENT, wanted=name == "RECENT")
        if name == "NEW":
            return _all([_flagged(RECENT, wanted=True), _flagged("\\Seen", wanted=False)])
        if name in _FLAGS:
            return _flagged(_FLAGS[name], wanted=True)
        if name.startswith("UN") and name[2:] in _FLAGS:
            return _flagged(_FLAGS[name[2:]], wanted=False)
        self.parser.space()
        if name in _HEADERS:
            return _header(name, self._text())
        return self._with_arguments(name)

    def _with_arguments(self, name: str) -> Predicate:
        parser = self.parser
        match name:
            case "KEYWORD" | "UNKEYWORD":
                return _flagged(canonical_flag(parser.atom()), wanted=name == "KEYWORD")
            case "HEADER":
                field = parser.astring().decode("ascii", "replace")
                parser.space()
                return _header(field, self._text())
            case "TEXT" | "BODY":
                self.reads_bodies = True
                self.texts += 1
                if self.texts > MAX_TEXTS:
                    raise No(f"a search looks for {MAX_TEXTS} texts in bodies at most", "LIMIT")
                return _body(self._text(), whole=name == "TEXT")
            case "UID":
                uids = set(SequenceSet(parser.sequence()).select(self.bounds.uids))
                return lambda message: message.uid in uids
            case "LARGER" | "SMALLER":
                return _size(parser.number(), larger=name == "LARGER")
            case "NOT":
                key = self.key()
                return lambda message: not key(message)
            case "OR":
                one = self.key()
                parser.space()
                other = self.key()
                return lambda message: one(message) or other(message)
            case "SINCE" | "BEFORE" | "ON":
                return _dated(name, parser.date(), lambda m: m.internal_date.date())
            case "SENTSINCE" | "SENTBEFORE" | "SENTON":
                return _dated(name.removeprefix("SENT"), parser.date(), lambda m: m.sent)
        raise Bad(f"{name} is not a search key known here")

    def _text(self) -> str:
        return self.parser.astring().decode(self.charset, "replace").casefold()


def _flagged(flag: str, *, wanted: bool) -> Predicate:
    return lambda message: (flag in message.flags) is wanted


def _size(limit: int, *, larger: bool) -> Predicate:
    return lambda message: message.size > limit if larger else message.size < limit


def _header(name: str, text: str) -> Predicate:
    wanted = name.lower()
    return lambda message: any(text in value for key, value in message.fields if key == wanted)


def _fields(header: bytes) -> Iterator[tuple[str, str]]:
    for key, value in parse_header(header).raw_items():
        raw = str(value).replace("\r\n", "").replace("\n", "")
        octets = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for shown in dict.fromkeys((octets, decoded(raw))):
            yield key.lower(), shown.casefold()


def _body(text: str, *, whole: bool) -> Predicate:
    if not whole:
        return lambda message: text in message.body
    return lambda message: (
        text in message.body or any(text in f"{key}: {value}" for key, value in message.fields)
    )


def _texts(root: Part) -> Iterator[str]:
    """Texts of all parts, and the headers of those inside."""
    for part in root.walk():
        if part is not root:
            yield "\n".join(f"{key}: {value}" for key, value in _fields(part.header))
        if not part.children and part.content_type[0] in ("text", "message", "multipart"):
            yield in_charset(decode(part)[0], part.charset).casefold()


def _dated(name: str, day: date, of: Callable[[Candidate], date | None]) -> Predicate:
    def matches(message: Candidate) -> bool:
        at = of(message)
        if at is None:
            return False
        return {"SINCE": at >= day, "BEFORE": at < day, "ON": at == day}[name]

    return matches
