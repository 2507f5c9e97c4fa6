"""What a read receipt (RFC 8098) says of a mail of ours: who read it, or why it was not integrated."""

import re
from dataclasses import dataclass, field
from email.parser import HeaderParser
from typing import Final

from services.mss.domain.lint.reading import decode
from services.mss.domain.mailboxes import normalised
from services.mss.domain.mime import Part, parse
from services.mss.hl7v2.answers import ReadError

_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,990}>")
_ERROR: Final = re.compile(r"(?:error|failure)\s*:\s*(\d{3})?\s*\^?([^^|]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """`error` as struct-msg-mdn writes it: `processed/Error: <code>^<libellé>` (spec: mss.md §1.8)."""

    message_id: str
    reader: str = field(repr=False)
    error: ReadError | None


def read_receipt(content: bytes) -> Said | None:
    """None where it is no MDN, or names no message."""
    if not content:
        return None
    root = parse(content)
    if root.headers.get_content_type() != "multipart/report":
        return None
    for part in root.children:
        if part.content_type == ("message", "disposition-notification"):
            return _of(part)
    return None


def _of(part: Part) -> Said | None:
    fields = HeaderParser().parsestr(decode(part)[0].decode("utf-8", "replace").lstrip())
    found = _MESSAGE_ID.search(str(fields.get("Original-Message-ID", "")))
    if found is None:
        return None
    # The guide's error holds the mark that RFC 8098 keeps for comments: it is read as it stands.
    disposition = " ".join(str(fields.get("Disposition", "")).split())
    failed = _ERROR.search(disposition)
    error = None
    if failed:
        error = ReadError.of(failed[1] or "", failed[2].strip())
    reader = str(fields.get("Final-Recipient", "")).rpartition(";")[2]
    return Said(found[0], normalised(reader), error)
