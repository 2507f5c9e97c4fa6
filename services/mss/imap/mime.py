"""Where the parts of a message lie (RFC 2045, 2046): offsets, so that a part is cut byte for byte."""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

from services.mss.domain.headers import parse_header, split_header

# A hostile message must not cost more than an honest one: beyond, a part stays whole.
MAX_DEPTH = 20
MAX_PARTS = 1000


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

    def parameters(self, header: str = "content-type") -> list[tuple[str, str]]:
        found = self.headers.get_params(header=header) or []
        return [(name, collapse_rfc2231_value(value)) for name, value in found[1:]]

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


def parse(raw: bytes) -> Part:
    return _parse(raw, 0, len(raw), 0, [0])


def _parse(raw: bytes, start: int, end: int, depth: int, count: list[int]) -> Part:
    window = raw[start:end]
    body = start + split_header(window)
    part = Part(raw, start, body, end, parse_header(raw[start:body]))
    count[0] += 1
    if depth >= MAX_DEPTH or count[0] >= MAX_PARTS:
        return part
    main, sub = part.content_type
    if main == "multipart":
        boundary = part.headers.get_boundary()
        for first, last in _between(raw, body, end, boundary) if boundary else ():
            if count[0] < MAX_PARTS:
                part.children.append(_parse(raw, first, last, depth + 1, count))
    elif (main, sub) == ("message", "rfc822"):
        part.children.append(_parse(raw, body, end, depth + 1, count))
    return part


def _between(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    """The spans between delimiter lines; the line end before a delimiter belongs to it."""
    delimiter = re.compile(
        rb"(?:^|\r?\n)--"
        + re.escape(boundary.encode("utf-8", "surrogateescape"))
        + rb"(--)?[ \t]*(?=\r?\n|$)"
    )
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    position, region = 0, raw[start:end]
    while found := delimiter.search(region, position):
        if opened is not None:
            spans.append((start + opened, start + max(opened, found.start())))
        if found.group(1):
            return spans
        line_end = region.find(b"\n", found.end())
        if line_end < 0:
            return spans
        opened = line_end + 1
        # The line end after this delimiter may be the one before the next.
        position = found.end()
    if opened is not None:  # the closing delimiter is missing: what is there is the last part
        spans.append((start + opened, end))
    return spans
