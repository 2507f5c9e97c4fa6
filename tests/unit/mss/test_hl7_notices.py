"""Delivery reports: our own, and as other mail servers write them."""

import pytest

from services.mss.domain.delivery_report import DeliveryReport, render_delivery_report
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.hl7v2.delivery_notices import Delivered, read_notice
from socle.idgen import uuid7

from .mails import AT, COLLEAGUE, SENDER, written

THEIRS = """\
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
In-Reply-To: <answered@b>\r
\r
--b\r
Content-Type: text/plain\r
\r
x\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.test\r
\r
{fields}\r
--b{returned}--\r
"""
HEADERS = "\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@b>\r\n--b"


@pytest.mark.parametrize(
    ("action", "diagnostic", "code"),
    [("failed", "552 5.2.2 full", 552), ("delivered", "250 2.0.0 OK", None)],
)
def test_ours_are_read(action: str, diagnostic: str, code: int | None) -> None:
    recipient = Recipient(COLLEAGUE, original=f"rfc822;{COLLEAGUE}")
    report = DeliveryReport(
        "MAILER-DAEMON@x", "s", "t", action, "5.2.2", diagnostic, recipient  # type: ignore[arg-type]
    )  # fmt: skip
    content = render_delivery_report(
        report,
        Envelope(SENDER, (recipient,)),
        written(),
        reporting_mta="x",
        report_id=uuid7(),
        at=AT,
    )
    found = read_notice(content)
    assert found is not None
    assert found.message_id == "<1@socle.mssante.fr>"
    assert found.recipients == (Delivered((COLLEAGUE, COLLEAGUE), code),)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("Final-Recipient: rfc822; A@B.fr\r\nAction: FAILED\r\nStatus: 5.1.1\r\n", 550),
        ("Final-Recipient: rfc822; a@b.fr\r\nAction: failed\r\nStatus: 4.4.7\r\n", 441),
        ("Final-Recipient: rfc822; a@b.fr\r\nAction: failed\r\nStatus: 5.9.9\r\n", 554),
        ("Final-Recipient: rfc822; a@b.fr\r\nAction: failed\r\n", 554),
        ("Final-Recipient: rfc822; a@b.fr\r\nAction: failed\r\nStatus: 5.1.1\r\n"
         "Diagnostic-Code: SMTP; 541 spam\r\n", 541),
        ("Final-Recipient: rfc822; a@b.fr\r\nAction: relayed\r\n", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("returned", ["", HEADERS])
def test_theirs_are_read(fields: str, code: int | None, returned: str) -> None:
    found = read_notice(THEIRS.format(fields=fields, returned=returned).encode())
    assert found is not None
    assert found.message_id == ("<a@b>" if returned else "<answered@b>")
    assert found.recipients == (Delivered(("a@b.fr",), code),)


def test_a_delay_and_a_report_on_nothing_say_nothing() -> None:
    delay = THEIRS.format(fields="Final-Recipient: rfc822; a@b\r\nAction: delayed\r\n", returned="")
    assert read_notice(delay.encode()) is None
    failed = THEIRS.format(fields="Final-Recipient: rfc822; a@b\r\nAction: failed\r\n", returned="")
    assert read_notice(failed.replace("In-Reply-To: <answered@b>\r\n", "").encode()) is None
    assert read_notice(b"") is None
    assert read_notice(b"Subject: x\r\n\r\ny") is None
