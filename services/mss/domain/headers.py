"""What is read of a message's header block: identification, and the headers of MSSanté."""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

_END = re.compile(rb"\r?\n\r?\n")
CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


def split_header(raw: bytes) -> int:
    """Where the body starts: after the first empty line, or at the end if there is none."""
    if raw.startswith(b"\r\n"):
        return 2
    found = _END.search(raw)
    return found.end() if found else len(raw)


def parse_header(header: bytes) -> "Message[str, str]":
    return BytesHeaderParser().parsebytes(header)


@dataclass(frozen=True, slots=True)
class MailFacts:
    """The indicators that operators draw from the X-MSS headers (spec: mss.md §1.7)."""

    message_id: str
    cda_codes: tuple[str, ...]
    ins: str | None  # O, N, or None where the header is absent or neither
    nil: str | None
    closes_conversation: bool


def read_facts(header: bytes) -> MailFacts:
    message = parse_header(header)
    codes = (code.strip() for code in str(message.get("X-MSS-CODECDA", "")).split(","))
    ins = str(message.get("X-MSS-INS", "")).strip()
    nil = str(message.get("X-MSS-NIL", "")).strip()
    return MailFacts(
        message_id=" ".join(str(message.get("Message-ID", "")).split())[:998],
        cda_codes=tuple(code for code in codes if CODE.fullmatch(code)),
        ins=ins if ins in ("O", "N") else None,
        nil=nil if CODE.fullmatch(nil) else None,
        closes_conversation=str(message.get("X-MSS-MES", "")).strip() == "FIN",
    )
