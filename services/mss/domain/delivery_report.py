"""Delivery reports: multipart/report of RFC 3464, as RFC 3461 asks for them."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal
from uuid import UUID

from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.headers import message_ids, parse_header, split_header
from services.mss.domain.report_parts import (
    Part,
    fields_part,
    header_part,
    render_report_mail,
    text_part,
)

Action = Literal["failed", "delivered"]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """`diagnostic` is an SMTP reply such as `550 5.1.1 …`; `subject` and `text` are for people."""

    author: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    action: Action
    status: str
    diagnostic: str
    recipient: Recipient


def render_delivery_report(
    report: DeliveryReport,
    envelope: Envelope,
    original: bytes,
    *,
    reporting_mta: str,
    report_id: UUID,
    at: datetime,
) -> bytes:
    """To the reverse path of the message. What comes back of it is its header, or all of it where
    RET=FULL asked so and it failed (RFC 3461 §5.2.7)."""
    header = parse_header(original[: split_header(original)])
    answered = message_ids(header, "Message-ID")[:1]
    date = format_datetime(at)
    fields = [
        ("From", report.author),
        ("To", envelope.sender),
        ("Subject", report.subject),
        ("Date", date),
        ("Message-ID", f"<{report_id}@{report.author.partition('@')[2]}>"),
        ("Auto-Submitted", "auto-replied"),  # RFC 3834 §5: no machine answers it
        *(("In-Reply-To", one) for one in answered),
    ]
    status = fields_part(
        "message/delivery-status",
        [
            [
                ("Reporting-MTA", f"dns; {reporting_mta}"),
                ("Original-Envelope-Id", envelope.envelope_id),
                ("Arrival-Date", date),
            ],
            [
                ("Original-Recipient", report.recipient.original.replace(";", "; ", 1)),
                ("Final-Recipient", f"rfc822; {report.recipient.address}"),
                ("Action", report.action),
                ("Status", report.status),
                ("Diagnostic-Code", f"smtp; {report.diagnostic}"),
            ],
        ],
    )
    whole = envelope.returned == "FULL" and report.action == "failed"
    returned = Part("message/rfc822", original) if whole else header_part(original)
    boundary = f"=_report_{report_id.hex}"
    parts = [text_part(report.text), status, returned]
    return render_report_mail(fields, "delivery-status", boundary, parts)
