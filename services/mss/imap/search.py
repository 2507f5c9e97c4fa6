"""SEARCH (RFC 3501 §6.4.4): keys become predicates over a message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

from services.mss.domain.headers import parse_header, split_header
from services.mss.imap.errors import Bad, No
from services.mss.imap.parser import Parser, canonical_flag
from services.mss.imap.sequences import SequenceSet

MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """`content` is b"" unless the query reads bodies."""

    number: int
    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    header: bytes
    content: bytes = b""


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
    if parser.take(b"CHARSET "):
        charset = parser.astring().upper()
        if charset not in (b"UTF-8", b"US-ASCII"):
            raise No("searches are in UTF-8 or US-ASCII", "BADCHARSET (UTF-8 US-ASCII)")
        parser.space()
    reader = _Reader(parser, bounds)
    keys = [reader.key()]
    while parser.take(b" "):
        keys.append(reader.key())
    parser.end()
    return Query(_all(keys), reader.reads_bodies)


def _all(keys: list[Predicate]) -> Predicate:
    return lambda message: all(key(message) for key in keys)


class _Reader:
    def __init__(self, parser: Parser, bounds: Bounds) -> None:
        self.parser = parser
        self.bounds = bounds
        self.reads_bodies = False
        self.depth = 0

    def key(self) -> Predicate:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Bad("the search is nested too deeply")
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
        if name in ("ALL", "OLD"):  # nothing is \Recent here
            return lambda _: True
        if name in ("RECENT", "NEW"):
            return lambda _: False
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
                return _dated(name.removeprefix("SENT"), parser.date(), _sent)
        raise Bad(f"{name} is not a search key known here")

    def _text(self) -> str:
        return self.parser.astring().decode("utf-8", "replace").casefold()


def _flagged(flag: str, *, wanted: bool) -> Predicate:
    return lambda message: (flag in message.flags) is wanted


def _size(limit: int, *, larger: bool) -> Predicate:
    return lambda message: message.size > limit if larger else message.size < limit


def _header(name: str, text: str) -> Predicate:
    def matches(message: Candidate) -> bool:
        return any(text in value.casefold() for value in _values(message.header, name))

    return matches


def _values(header: bytes, name: str) -> Iterable[str]:
    """Both as text and as it stands: a search may look for either."""
    for key, value in parse_header(header).raw_items():
        if key.lower() == name.lower():
            raw = str(value)
            yield raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            try:
                yield str(make_header(decode_header(raw)))
            except (LookupError, ValueError):
                continue


def _body(text: str, *, whole: bool) -> Predicate:
    """In the octets as they stand: transfer encodings are not undone, as RFC 3501 allows."""

    def matches(message: Candidate) -> bool:
        start = 0 if whole else split_header(message.content)
        return text in message.content[start:].decode("utf-8", "replace").casefold()

    return matches


def _dated(name: str, day: date, of: Callable[[Candidate], date | None]) -> Predicate:
    def matches(message: Candidate) -> bool:
        at = of(message)
        if at is None:
            return False
        return {"SINCE": at >= day, "BEFORE": at < day, "ON": at == day}[name]

    return matches


def _sent(message: Candidate) -> date | None:
    try:
        return parsedate_to_datetime(str(parse_header(message.header)["Date"])).date()
    except (TypeError, ValueError):
        return None
