"""Read receipts: MDN of RFC 8098, written for patients and read where they pass."""

from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.utils import format_datetime
from uuid import UUID

from services.mss.domain.compose import mailbox
from services.mss.domain.headers import (
    clean_line,
    decoded,
    message_ids,
    parse_header,
    split_header,
)
from services.mss.domain.mime import parse
from services.mss.domain.parameters import parameter
from services.mss.domain.report_parts import (
    fields_part,
    header_part,
    render_report_mail,
    text_part,
)

_DISPOSITIONS = ("displayed", "deleted", "dispatched", "processed")
_LOOKED_AT = 262_144
"""The notification comes second; after it, whole documents may be attached again (spec: mss.md §1.8)."""


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """What an MDN says: `disposition` is one of RFC 8098 §3.2.6.2, or `other`; `failed` tells an error
    of the receiving system (spec: mss.md §1.8)."""

    original_message_id: str
    disposition: str
    failed: bool


def is_report(header: "Message[str, str]") -> bool:
    """Reports are neither answered nor reported on, nor is what a machine sent (RFC 3834 §2)."""
    automatic = str(header.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    return header.get_content_type() == "multipart/report" or automatic not in ("no", "")


def read_receipt(content: bytes) -> ReadReceipt | None:
    """None where the message is no MDN, or one that names no message."""
    root = parse(content[:_LOOKED_AT])
    kind = parameter(root.parameters(), "report-type").lower()
    if root.content_type != ("multipart", "report") or kind != "disposition-notification":
        return None
    for part in root.walk():
        if part.content_type == ("message", "disposition-notification"):
            return _of_fields(parse_header(part.content))
    return None


def _of_fields(fields: "Message[str, str]") -> ReadReceipt | None:
    known = message_ids(fields, "Original-Message-ID")
    if not known:
        return None
    words = str(fields.get("Disposition", "")).partition(";")[2].strip().lower()
    kind, _, modifier = words.partition("/")
    kind = kind.strip()
    return ReadReceipt(
        original_message_id=known[0],
        disposition=kind if kind in _DISPOSITIONS else "other",
        failed=modifier.strip().startswith(("error", "failure")),
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who has read; their name is shown to whoever asked for the receipt."""

    address: str = field(repr=False)
    name: str = field(repr=False)
    user_agent: str


def render_read_receipt(
    original: bytes, reader: Reader, asked_by: str, receipt_id: UUID, at: datetime
) -> bytes:
    """Sent without asking the patient, who cannot refuse it (spec: mss.md §5)."""
    header = parse_header(original[: split_header(original)])
    subject = clean_line(decoded(header.get("Subject")))
    known = message_ids(header, "Message-ID")[:1]
    fields = [
        ("From", str(mailbox(reader.name, reader.address))),
        ("To", asked_by),
        ("Subject", f"Lu : {subject}"),
        ("Date", format_datetime(at)),
        ("Message-ID", f"<{receipt_id}@{reader.address.partition('@')[2]}>"),
        ("Auto-Submitted", "auto-replied"),
        *((name, one) for one in known for name in ("In-Reply-To", "References")),
    ]
    text = f"Votre message « {subject} » a été lu le {at:%d/%m/%Y à %H:%M}."
    disposition = fields_part(
        "message/disposition-notification",
        [
            [
                ("Reporting-UA", reader.user_agent),
                ("Final-Recipient", f"rfc822; {reader.address}"),
                ("Original-Message-ID", "".join(known)),
                ("Disposition", "manual-action/MDN-sent-automatically; displayed"),
            ]
        ],
    )
    boundary = f"=_receipt_{receipt_id.hex}"
    parts = [text_part(text), disposition, header_part(original)]
    return render_report_mail(fields, "disposition-notification", boundary, parts)
