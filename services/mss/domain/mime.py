"""Where the parts of a message lie (RFC 2045, 2046): offsets, so that a part is cut byte for byte."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from services.mss.domain.headers import MAX_HEADER, parse_header, split_header
from services.mss.domain.parameters import Parameters, parameter, read_parameters

# A hostile message must not cost more than an honest one: beyond, a part stays whole.
MAX_DEPTH: Final = 20
MAX_PARTS: Final = 1000
MAX_HEADERS: Final = 4 * MAX_HEADER
"""Octets, of all parts together."""
MAX_DELIMITERS: Final = 20_000
"""Lines that begin as a delimiter does, at all levels together."""
_AFTER = re.compile(rb"(?:--)?[ \t]*(?=\r?\n|$)")


@dataclass
class Part:
    """A part of `raw`: its header is [start, body), its content [body, end)."""

    raw: bytes = field(repr=False)
    start: int
    body: int
    end: int
    headers: "Message[str, str]" = field(repr=False)
    children: list["Part"] = field(default_factory=list)

    @property
    def header(self) -> bytes:
        return self.raw[self.start : self.body]

    @property
    def content(self) -> bytes:
        return self.raw[self.body : self.end]

    @property
    def content_type(self) -> tuple[str, str]:
        main, _, sub = self.headers.get_content_type().partition("/")
        return main, sub

    @property
    def is_multipart(self) -> bool:
        return self.content_type[0] == "multipart" and bool(self.children)

    @property
    def embedded(self) -> "Part | None":
        """The message inside a message/rfc822 part."""
        return self.children[0] if self.children and not self.is_multipart else None

    def parameters(self, header: str = "content-type") -> Parameters:
        """As they are written: what RFC 2231 has encoded stays so."""
        return read_parameters(self._field(header))

    @property
    def boundary(self) -> str:
        return parameter(self.parameters(), "boundary").rstrip()

    @property
    def charset(self) -> str:
        """In lower case; empty where none is named."""
        return parameter(self.parameters(), "charset").lower()

    @property
    def filename(self) -> str:
        """Of Content-Disposition, else of Content-Type; words of RFC 2047 in it are not decoded yet."""
        return parameter(self.parameters("content-disposition"), "filename") or parameter(
            self.parameters(), "name"
        )

    def _field(self, name: str) -> str:
        """As text with the octets that came: `get` would give a Header object where some have 8 bits."""
        found = (value for key, value in self.headers.raw_items() if key.lower() == name)
        return str(next(found, ""))

    def walk(self) -> Iterator["Part"]:
        """Itself and what is in it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def at(self, path: tuple[int, ...]) -> "Part | None":
        """The part numbered `1.2.…` (RFC 3501 §6.4.5); a lone body is its own part 1."""
        part: Part | None = self
        for number in path:
            assert part is not None
            part = part.embedded or part
            if part.is_multipart:
                part = part.children[number - 1] if number <= len(part.children) else None
            elif number != 1:
                part = None
            if part is None:
                return None
        return part


@dataclass
class _Budget:
    """What the parts of one message may still cost."""

    parts: int = MAX_PARTS
    header_octets: int = MAX_HEADERS
    delimiters: int = MAX_DELIMITERS

    @property
    def is_spent(self) -> bool:
        return self.parts <= 0 or self.header_octets <= 0


def parse(raw: bytes) -> Part:
    return _parse(raw, 0, len(raw), 0, _Budget())


def _parse(raw: bytes, start: int, end: int, depth: int, budget: _Budget) -> Part:
    body = split_header(raw, start, end)
    part = Part(raw, start, body, end, parse_header(raw[start:body]))
    budget.parts -= 1
    budget.header_octets -= body - start
    if depth >= MAX_DEPTH or budget.is_spent:
        return part
    main, sub = part.content_type
    if main == "multipart":
        boundary = part.boundary
        for first, last in _between(raw, body, end, boundary, budget) if boundary else ():
            if not budget.is_spent:
                part.children.append(_parse(raw, first, last, depth + 1, budget))
    elif (main, sub) == ("message", "rfc822"):
        part.children.append(_parse(raw, body, end, depth + 1, budget))
    return part


def _between(
    raw: bytes, start: int, end: int, boundary: str, budget: _Budget
) -> list[tuple[int, int]]:
    """The spans between delimiter lines; the line end before a delimiter belongs to it."""
    mark = b"--" + boundary.encode("utf-8", "surrogateescape")
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for line, tail in _delimiters(raw, start, end, mark, budget):
        if len(spans) >= MAX_PARTS:
            break
        if opened is not None:
            spans.append((opened, max(opened, line)))
        if raw.startswith(b"--", tail, end):
            return spans
        line_end = raw.find(b"\n", tail, end)
        if line_end < 0:
            return spans
        opened = line_end + 1
    if opened is not None:  # the closing delimiter is missing: what is there is the last part
        spans.append((opened, end))
    return spans


def _delimiters(
    raw: bytes, start: int, end: int, mark: bytes, budget: _Budget
) -> Iterator[tuple[int, int]]:
    """Where the line end before each delimiter line begins, and where its boundary ends.

    Looked for by `find`: a regular expression would hold the interpreter for half a second on 25 MB.
    """
    found = start if raw.startswith(mark, start, end) else _next_line(raw, start, end, mark)
    while found >= 0 and budget.delimiters > 0:
        budget.delimiters -= 1
        tail = found + len(mark)
        if _AFTER.match(raw, tail, end):
            line = max(start, found - 1)
            yield (line - 1 if raw.startswith(b"\r\n", max(start, line - 1)) else line), tail
        found = _next_line(raw, tail, end, mark)


def _next_line(raw: bytes, position: int, end: int, mark: bytes) -> int:
    """The next line from `position` on that begins with `mark`, or -1."""
    return (raw.find(b"\n" + mark, position, end) + 1) or -1
