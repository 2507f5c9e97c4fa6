"""What an SMTP session holds, and the commands that users and peers say alike.

aiosmtpd calls `handle_X` by their names.
"""

from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy.exc import SQLAlchemyError

from services.mss.delivery import Refusal
from services.mss.domain.envelope import Envelope as MailEnvelope
from services.mss.domain.envelope import ParameterError, Recipient, Returned
from services.mss.domain.mailboxes import normalised
from services.mss.domain.report_parts import ascii_line
from services.mss.intake import smtp_code
from services.mss.smtp.parameters import read_mail_parameters, read_recipient
from socle.errors import Category, DomainError
from socle.logs import get_logger

MAX_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8: at least that many
TRY_LATER = "451 4.3.0 Temporary failure, nothing was stored; try again later"
_EXTENSIONS = ("250-DSN", "250-PIPELINING")  # RFC 3461, RFC 2920
_ENHANCED = {Category.NOT_FOUND: "5.1.1", Category.GONE: "5.2.1", Category.FORBIDDEN: "5.7.1"}
log = get_logger("mss.smtp")


class Exchange:
    """One per connection. A subclass decides who may send, who is written to, and takes the mail."""

    def __init__(self) -> None:
        self.certificate = b""
        """What the client presented to TLS, DER."""
        self.sender = ""
        self.recipients: dict[str, Recipient] = {}
        self.returned: Returned = ""
        self.envelope_id = ""

    async def refusal_of(self, address: str, size: int) -> str | None:
        """The reply that refuses this recipient; `size` is what the sender has announced."""
        raise NotImplementedError

    async def take(self, server: SMTP, envelope: MailEnvelope, content: bytes) -> str:
        """Stores the message, and gives what the 250 names it."""
        raise NotImplementedError

    async def tell_refused(self, envelope: MailEnvelope, reason: str, code: int) -> None:
        """An event for each recipient of a message that was not seen whole."""
        raise NotImplementedError

    async def handle_EHLO(
        self,
        _server: SMTP,
        session: SmtpSession,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        # As one: aiosmtpd writes each by itself, a TLS record and a system call for every line.
        return ["\r\n".join([*responses[:-1], *_EXTENSIONS, responses[-1]])]

    def begin(self, server: SMTP, envelope: Envelope, address: str, options: list[str]) -> str:
        """MAIL, once the sender may send. Raises ParameterError."""
        self.returned, self.envelope_id = read_mail_parameters(server)
        self.sender, self.recipients = normalised(address), {}
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self,
        server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(self.recipients) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            recipient = read_recipient(server, normalised(address))
            size = _announced_size(envelope.mail_options)
            refusal = await self.refusal_of(recipient.address, size)
        except ParameterError as error:
            return parameter_reply(error)
        except DomainError as error:
            return f"{error.mapped.smtp} 4.3.0 {ascii_line(error.detail)}"
        except (SQLAlchemyError, OSError):
            return TRY_LATER
        if refusal is not None:
            return refusal
        if recipient.address not in self.recipients:
            envelope.rcpt_tos.append(recipient.address)
            self.recipients[recipient.address] = recipient
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:
        content: Any = envelope.content
        try:
            message = await self.take(server, self._envelope(), bytes(content))
        except DomainError as error:
            return _refusal_reply(error)
        except (SQLAlchemyError, OSError) as error:
            # Only the type: the text of a database error quotes the statement, and so the mail.
            log.warning("mail_not_taken", error=type(error).__name__)
            return TRY_LATER
        return f"250 2.0.0 OK: stored as {message}"

    async def refuse_text(self, reason: str, status: str) -> str:
        """The reply to a text that was dropped, once the refusal is told."""
        try:
            await self.tell_refused(self._envelope(), reason, int(status[:3]))
        except (DomainError, SQLAlchemyError, OSError):
            return TRY_LATER
        return status

    def _envelope(self) -> MailEnvelope:
        return MailEnvelope(
            self.sender, tuple(self.recipients.values()), self.returned, self.envelope_id
        )


def parameter_reply(error: ParameterError) -> str:
    return f"501 5.5.4 {error}"


def recipient_reply(refusal: Refusal) -> str:
    answer = refusal.answer
    return f"{answer.code} {answer.status} {ascii_line(answer.text)}"


def _announced_size(options: list[str]) -> int:
    """SIZE of MAIL (RFC 1870), 0 where it was not said; aiosmtpd has checked its form."""
    sizes = (option[5:] for option in options if option.upper().startswith("SIZE="))
    return next((int(size) for size in sizes if size.isdigit()), 0)


def _refusal_reply(error: DomainError) -> str:
    """The answer to the whole message."""
    enhanced = "4.2.2" if error.code == "mailbox_full" else _ENHANCED.get(error.category, "4.3.0")
    return f"{smtp_code(error)} {enhanced} {ascii_line(error.detail)}"
