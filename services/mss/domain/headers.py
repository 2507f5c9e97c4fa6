"""What is read of a message's header block: identification, and the headers of MSSanté."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from services.mss.domain.parameters import without_surrogates

MAX_HEADER = 262_144
"""Octets. The library needs a second for 2 MB of fields, and 30 times their memory; 256 KiB is what large
operators take. What is beyond counts as the body."""

MAX_DECODED = 16_384
_LANGUAGE = re.compile(r"=\?([^?*\s]{1,40})\*[^?\s]{0,40}\?")
CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


def split_header(raw: bytes, start: int = 0, end: int | None = None) -> int:
    """Where the body of `raw[start:end]` starts: after the first empty line, or at the end if there is
    none. In place: a copy of 25 MB for each level of a message would be too much."""
    end = len(raw) if end is None else end
    if raw.startswith(b"\r\n", start, end):
        return start + 2
    last = min(end, start + MAX_HEADER)
    found = ((raw.find(mark, start, last), len(mark)) for mark in (b"\n\r\n", b"\n\n"))
    body = min((at + length for at, length in found if at >= 0), default=last)
    if body == last < end:  # too long: cut between two lines, if there are any
        return raw.rfind(b"\n", start, last) + 1 or last
    return body


def parse_header(header: bytes) -> "Message[str, str]":
    return BytesHeaderParser().parsebytes(header[:MAX_HEADER])


def decoded(value: object) -> str:
    """RFC 2047 words as text, also with a language (RFC 2231 §5); a header that cannot be decoded is
    shown as it came."""
    raw = str(value or "")[:MAX_DECODED]
    try:
        text = str(make_header(decode_header(_LANGUAGE.sub(r"=?\1?", raw))))
    except (HeaderParseError, LookupError, ValueError):
        text = raw
    return without_surrogates(text)


def addresses(values: Iterable[object]) -> list[tuple[str, str]]:
    """Label and address of each mailbox in the fields. None where comments or groups are nested so
    deeply that the library gives up: it would take the connection with it."""
    try:
        return getaddresses([str(value) for value in values])
    except RecursionError:
        return []


def clean_line(text: str) -> str:
    """On one line, without control characters: what may stand in a header field."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def message_ids(header: "Message[str, str]", name: str) -> list[str]:
    """The identifiers in a field such as In-Reply-To, in their order."""
    return re.findall(r"<[^<>\s\x00-\x1f\x7f]{1,990}>", str(header.get(name, "")))


@dataclass(frozen=True, slots=True)
class MailFacts:
    """The indicators that operators draw from the X-MSS headers (spec: mss.md §1.7)."""

    message_id: str
    cda_codes: tuple[str, ...]
    ins: str | None  # O, N, or None where the header is absent or neither
    nil: str | None
    closes_conversation: bool


def read_facts(header: bytes) -> MailFacts:
    return facts_of(parse_header(header))


def facts_of(message: "Message[str, str]") -> MailFacts:
    codes = (code.strip() for code in str(message.get("X-MSS-CODECDA", "")).split(","))
    ins = str(message.get("X-MSS-INS", "")).strip()
    nil = str(message.get("X-MSS-NIL", "")).strip()
    return MailFacts(
        message_id=clean_line(str(message.get("Message-ID", "")))[:998],
        cda_codes=tuple(code for code in codes if CODE.fullmatch(code)),
        ins=ins if ins in ("O", "N") else None,
        nil=nil if CODE.fullmatch(nil) else None,
        closes_conversation=str(message.get("X-MSS-MES", "")).strip() == "FIN",
    )
