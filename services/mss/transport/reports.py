"""Reports on mail that crossed between operators: filed here, or queued for the sender's operator."""

from collections.abc import Iterable

from services.mss import repository
from services.mss.domain.delivery_report import DeliveryReport, render_delivery_report
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.outgoing import Outgoing
from services.mss.transport import queue
from services.mss.transport.routing import route
from socle.clock import wall
from socle.idgen import uuid7


async def send_reports(
    outgoing: Outgoing,
    reports: Iterable[DeliveryReport],
    envelope: Envelope,
    content: bytes,
    hostname: str,
    *,
    own: bool,
) -> None:
    """`own` are the words of the sender's operator; others come from the recipient's (RFC 3461 §6)."""
    session, space, sender = outgoing.session, outgoing.space, envelope.sender
    for report in reports:
        raw = render_delivery_report(
            report, envelope, content, reporting_mta=hostname, report_id=uuid7(), at=outgoing.at
        )
        message, _ = await outgoing.store(raw, None)
        author = sender if own else report.recipient.address
        way = await route(session, space, author, [sender])
        if sender in way.abroad:
            to = Recipient(sender)
            await queue.enqueue(
                session, space, message, way.operator, Envelope("", (to,)), [to], wall()
            )
        elif sender in await repository.get_mailboxes(session, space, [sender]):
            outgoing.deliver(sender, message)


def failure(recipient: Recipient, status: str, diagnostic: str, hostname: str) -> DeliveryReport:
    """The sending operator's own word that a message will not arrive."""
    return DeliveryReport(
        author=f"MAILER-DAEMON@{hostname}",
        subject="Message non distribué",
        text=f"Votre message n'a pas pu être remis à {recipient.address}.\n\n{diagnostic}",
        action="failed",
        status=status,
        diagnostic=diagnostic,
        recipient=recipient,
    )
