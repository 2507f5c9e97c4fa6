"""The data items of FETCH (RFC 3501 §6.4.5): parsed, then rendered for one message."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.mss.domain.headers import split_header
from services.mss.domain.mime import Part, parse
from services.mss.imap import wire
from services.mss.imap.errors import Bad
from services.mss.imap.parser import Parser
from services.mss.imap.structure import body_structure, envelope

_NAME = re.compile(rb"[A-Za-z0-9.]+")
_PATH = re.compile(rb"[1-9]\d{0,5}(?:\.[1-9]\d{0,5})*")
_PARTIAL = re.compile(rb"<(\d{1,10})\.([1-9]\d{0,9})>")
_MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
_SIMPLE = {"FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY"}
_TEXTS = ("HEADER.FIELDS.NOT", "HEADER.FIELDS", "HEADER", "TEXT", "MIME")


@dataclass(frozen=True, slots=True)
class Item:
    """`name` is a simple item, or `BODY[]` with the section described by the other fields."""

    name: str
    label: bytes
    path: tuple[int, ...] = ()
    text: str = ""
    fields: tuple[bytes, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = False

    @property
    def needs_content(self) -> bool:
        return self.name in ("BODY[]", "BODYSTRUCTURE", "BODY")

    @property
    def sets_seen(self) -> bool:
        return self.name == "BODY[]" and not self.peek


def parse_items(parser: Parser) -> list[Item]:
    if not parser.take(b"("):
        return _item_or_macro(parser)
    items = [_item(parser)]
    while not parser.take(b")"):
        parser.space()
        items.append(_item(parser))
    return items


def _item_or_macro(parser: Parser) -> list[Item]:
    start = parser.position
    name = parser.match(_NAME, "a data item").group().decode().upper()
    if name in _MACROS:
        return [Item(each, each.encode()) for each in _MACROS[name]]
    parser.position = start
    return [_item(parser)]


def _item(parser: Parser) -> Item:
    name = parser.match(_NAME, "a data item").group().decode().upper()
    if name in ("BODY", "BODY.PEEK") and parser.peek() == b"[":
        return _section(parser, peek=name == "BODY.PEEK")
    if name in _SIMPLE:
        return Item(name, name.encode())
    if name == "RFC822":
        return Item("BODY[]", b"RFC822")
    if name == "RFC822.HEADER":
        return Item("BODY[]", b"RFC822.HEADER", text="HEADER", peek=True)
    if name == "RFC822.TEXT":
        return Item("BODY[]", b"RFC822.TEXT", text="TEXT")
    raise Bad(f"{name} is not a data item known here")


def _section(parser: Parser, *, peek: bool) -> Item:
    start = parser.position
    parser.expect(b"[")
    path: tuple[int, ...] = ()
    more = True
    if parser.peek().isdigit():
        numbers = parser.match(_PATH, "a part number").group()
        path = tuple(int(number) for number in numbers.split(b"."))
        more = parser.take(b".")
    text = next((each for each in _TEXTS if more and parser.take(each.encode())), "")
    if (path and more and not text) or (text == "MIME" and not path):
        raise Bad("not a section")
    fields = _field_names(parser) if text.startswith("HEADER.FIELDS") else ()
    parser.expect(b"]")
    label = b"BODY" + parser.buffer[start : parser.position]
    partial = None
    if parser.peek() == b"<":
        first, count = parser.match(_PARTIAL, "a partial such as <0.1024>").groups()
        partial = (int(first), int(count))
        label += b"<%d>" % partial[0]
    return Item("BODY[]", label, path, text, fields, partial, peek)


def _field_names(parser: Parser) -> tuple[bytes, ...]:
    parser.expect(b" (")
    names = [parser.astring()]
    while not parser.take(b")"):
        parser.space()
        names.append(parser.astring())
    return tuple(name.lower() for name in names)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as FETCH sees it; `content` is None where no item needs it."""

    uid: int
    flags: list[str]
    internal_date: datetime
    size: int
    header: bytes
    content: bytes | None


def render(items: list[Item], message: Fetched) -> Iterator[bytes]:
    """In pieces: a command may ask a thousand times for a body of 25 MB."""
    root = parse(message.content if message.content is not None else message.header)
    before = b"("
    for item in items:
        yield before + item.label + b" " + _value(item, message, root)
        before = b" "
    yield b")"


def _value(item: Item, message: Fetched, root: Part) -> bytes:
    match item.name:
        case "FLAGS":
            return wire.flags(message.flags)
        case "UID":
            return b"%d" % message.uid
        case "INTERNALDATE":
            return wire.internal_date(message.internal_date)
        case "RFC822.SIZE":
            return b"%d" % message.size
        case "ENVELOPE":
            return envelope(root)
        case "BODYSTRUCTURE" | "BODY":
            return body_structure(root, extended=item.name == "BODYSTRUCTURE")
    found = section(item, root)
    if found is None:
        return b"NIL"
    if item.partial is not None:
        first, count = item.partial
        found = found[first : first + count]
    return wire.literal(found)


def section(item: Item, root: Part) -> bytes | None:
    """The octets that a section names; None where there is no such part."""
    part = root.at(item.path)
    if part is None:
        return None
    if not item.text:
        return part.raw if not item.path else part.content
    if item.text == "MIME":
        return part.header
    if item.path:  # HEADER and TEXT of a part mean those of the message that it holds
        if part.embedded is None:
            return None
        part = part.embedded
    if item.text == "TEXT":
        return part.content
    if item.text == "HEADER":
        return part.header
    return select_fields(part.header, item.fields, wanted=item.text == "HEADER.FIELDS")


_FIELD = re.compile(rb"^([^\s:]++)[ \t]*+:.*\n?(?:[ \t].*\n?)*+", re.MULTILINE)


def select_fields(header: bytes, names: tuple[bytes, ...], *, wanted: bool) -> bytes:
    """Header fields as they stand, with the empty line that ends a header."""
    header = header[: split_header(header)]
    chosen = [
        found.group()
        for found in _FIELD.finditer(header)
        if (found.group(1).lower() in names) is wanted
    ]
    return b"".join(chosen) + b"\r\n"
