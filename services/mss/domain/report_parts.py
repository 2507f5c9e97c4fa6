"""The frame of reports (multipart/report, RFC 6522), written octet by octet: what is reported on goes in
as it came."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.policy import SMTP

from services.mss.domain.headers import split_header

MAX_RETURNED_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class Part:
    media_type: str
    content: bytes = field(repr=False)


def render_report_mail(
    fields: Sequence[tuple[str, str]], report_type: str, boundary: str, parts: Sequence[Part]
) -> bytes:
    content_type = f'multipart/report; report-type={report_type}; boundary="{boundary}"'
    written = [*fields, ("MIME-Version", "1.0"), ("Content-Type", content_type)]
    lines = [SMTP.fold_binary(*SMTP.header_store_parse(name, value)) for name, value in written]
    for part in parts:
        lines.append(f"\r\n--{boundary}\r\nContent-Type: {part.media_type}\r\n".encode())
        if not part.content.isascii():
            lines.append(b"Content-Transfer-Encoding: 8bit\r\n")
        lines.append(b"\r\n" + part.content)
    lines.append(f"\r\n--{boundary}--\r\n".encode())
    return b"".join(lines)


def text_part(text: str) -> Part:
    return Part('text/plain; charset="utf-8"', (text.replace("\n", "\r\n") + "\r\n").encode())


def fields_part(media_type: str, groups: Sequence[Sequence[tuple[str, str]]]) -> Part:
    """Groups of fields with an empty line between them; a field without a value is left out."""
    blocks = [
        "".join(f"{name}: {ascii_line(value)}\r\n" for name, value in group if value)
        for group in groups
    ]
    return Part(media_type, "\r\n".join(blocks).encode())


def header_part(message: bytes) -> Part:
    header = message[: min(split_header(message), MAX_RETURNED_HEADER)]
    return Part("text/rfc822-headers", header)


def ascii_line(text: str) -> str:
    """For SMTP replies and machine-readable fields: accents are dropped, not the letters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())
