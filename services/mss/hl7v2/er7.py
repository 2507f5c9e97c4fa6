"""HL7v2 in its bar form (HL7 v2.5 §2): segments, fields, repetitions, components, escapes."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_SEGMENTS: Final = 5000
MAX_FIELDS: Final = 500
MAX_REPETITIONS: Final = 100
"""Bounds on what a hostile message can make us hold: separators alone would become millions of strings."""

CHARSETS: Final = {"UNICODE UTF-8": "utf-8", "8859/15": "iso8859-15"}
"""The two of the guide (MSH-18), as Python names them."""

_ESCAPED: Final = re.compile(
    # The package `hl7` (Python) pads with a blank: a line feed is `X a` there.
    r"\\([FSTREHN]|X(?:[0-9A-Fa-f ][0-9A-Fa-f])+|\.(?:br|ce|fi|nf)|\.(?:sp|sk|in|ti)[+-]?[0-9]{0,3})\\"
)
_MARKS: Final = {"F": 0, "S": 1, "R": 2, "E": 3, "T": 4}
_SEGMENT_ENDS: Final = re.compile(r"\r\n|\r|\n")


class UnreadableMessageError(ValueError):
    """`code` is of table 0357, `location` an ERL such as `MSH^1^18`."""

    def __init__(self, code: int, location: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.location = location


@dataclass(frozen=True, slots=True)
class Segment:
    """`number` counts segments of this name from 1; `fields[0]` is the name. MSH counts its separator."""

    name: str
    number: int
    fields: tuple[str, ...] = field(repr=False)
    marks: str = "|^~\\&"

    def __call__(self, position: int, component: int = 1, part: int = 1) -> str:
        """Unescaped; empty where there is nothing. Of a repeated field, the first."""
        return self.of(self.raw(position).split(self.marks[2], 1)[0], component, part)

    def raw(self, position: int) -> str:
        return self.fields[position] if position < len(self.fields) else ""

    def repetitions(self, position: int) -> list[str]:
        """The first MAX_REPETITIONS of them."""
        return self.raw(position).split(self.marks[2], MAX_REPETITIONS)[:MAX_REPETITIONS]

    def of(self, value: str, component: int, part: int = 1) -> str:
        pieces = value.split(self.marks[1], component)
        piece = pieces[component - 1] if component <= len(pieces) else ""
        parts = piece.split(self.marks[4], part)
        return self._unescaped(parts[part - 1] if part <= len(parts) else "").strip()

    def location(self, position: int) -> str:
        return f"{self.name}^{self.number}^{position}"

    def _unescaped(self, text: str) -> str:
        if "\\" not in text:
            return text

        def plain(found: "re.Match[str]") -> str:
            what = found[1]
            if what in _MARKS:
                return self.marks[_MARKS[what]]
            if what[0] == "X":
                pairs = (what[at : at + 2] for at in range(1, len(what), 2))
                return "".join(chr(int(pair, 16)) for pair in pairs)
            return _laid_out(what)

        return _ESCAPED.sub(plain, text)


def _laid_out(command: str) -> str:
    """Formatting (HL7 v2.5 §2.7.6) as far as plain text has it: lines and blanks, no highlights."""
    count = int(command[3:]) if command[3:].isdecimal() else 1
    return {".br": "\n", ".ce": "\n", ".sp": "\n" * count, ".sk": " " * count}.get(command[:3], "")


@dataclass(frozen=True, slots=True)
class Message:
    segments: tuple[Segment, ...]
    charset: str

    def all(self, name: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        return next((segment for segment in self.segments if segment.name == name), None)

    @property
    def msh(self) -> Segment:
        return self.segments[0]


def read_head(raw: bytes) -> Message | None:
    """Only its MSH, of a message that cannot be read whole: whom the refusal goes to, and of what. None
    where there is none."""
    head = raw[max(0, raw.find(b"MSH", 0, 1000)) :][:1000].decode("latin-1")
    marks = head[3:8]
    if not head.startswith("MSH") or not _are_marks(marks):
        return None
    line = _SEGMENT_ENDS.split(head)[0]
    if not 8 < line.count(marks[0]) <= MAX_FIELDS:
        return None
    return Message(tuple(_segments(line, marks)), "utf-8")


def parse(raw: bytes) -> Message:
    raw = raw.lstrip(b"\r\n")
    head = raw[:1000].decode("latin-1")
    if not head.startswith("MSH") or len(head) < 8:
        raise UnreadableMessageError(100, "MSH^1", _what_starts(raw))
    marks = head[3:8]
    if not _are_marks(marks):
        raise UnreadableMessageError(102, "MSH^1^2", "MSH-2 is not four different marks.")
    if raw.count(b"\r") + raw.count(b"\n") > 2 * MAX_SEGMENTS:
        raise UnreadableMessageError(198, "MSH^1", f"More than {MAX_SEGMENTS} segments.")
    first = _SEGMENT_ENDS.split(head)[0].split(marks[0])
    named = first[17].split(marks[2])[0].strip() if len(first) > 17 else ""
    charset = CHARSETS.get(named) if named else "utf-8"
    if charset is None:
        raise UnreadableMessageError(103, "MSH^1^18", f"MSH-18 is one of {', '.join(CHARSETS)}.")
    try:
        text = raw.decode(charset)
    except UnicodeDecodeError:
        raise UnreadableMessageError(
            102, "MSH^1^18", "The octets are not of that charset."
        ) from None
    return Message(tuple(_segments(text, marks)), charset)


def _are_marks(marks: str) -> bool:
    return len(set(marks)) == 5 and all(not it.isalnum() and "!" <= it <= "~" for it in marks)


def _what_starts(raw: bytes) -> str:
    if raw.startswith((b"FHS", b"BHS")):
        return "A batch (FHS, BHS) is not taken: send each message by itself."
    if raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "A byte order mark stands before MSH; UTF-8 is sent without one."
    return "The message does not start with MSH."


def _segments(text: str, marks: str) -> Iterator[Segment]:
    counts: dict[str, int] = {}
    lines = [line for line in _SEGMENT_ENDS.split(text) if line.strip()]
    if len(lines) > MAX_SEGMENTS:
        raise UnreadableMessageError(198, "MSH^1", f"More than {MAX_SEGMENTS} segments.")
    for number, line in enumerate(lines):
        if line.count(marks[0]) > MAX_FIELDS:
            raise UnreadableMessageError(
                198, f"MSH^1^{number}", f"Segment {number + 1} has more than {MAX_FIELDS} fields."
            )
        fields = line.split(marks[0])
        name = fields[0]
        if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
            raise UnreadableMessageError(
                100, f"MSH^1^{number}", f"Segment {number + 1} has no name."
            )
        counts[name] = counts.get(name, 0) + 1
        if number == 0:
            fields = [name, marks[0], *fields[1:]]
        yield Segment(name, counts[name], tuple(fields), marks)


def escaped(text: str) -> str:
    """For a component, with the usual marks; what ends a segment becomes a space."""
    out = " ".join(text.split()).replace("\\", "\\E\\")
    for mark, letter in (("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        out = out.replace(mark, f"\\{letter}\\")
    return "".join(char for char in out if char.isprintable())


def write(segments: Sequence[Sequence[str]], charset: str = "utf-8") -> bytes:
    """Fields are already in their bar form; trailing empty ones are dropped."""
    lines = ["|".join(fields).rstrip("|") for fields in segments]
    return ("\r".join(lines) + "\r").encode(charset, "replace")
