"""What is decided in an SMTP session: who logs in, who may send to whom, what is stored.

aiosmtpd calls `auth_X` and `handle_X` by their names.
"""

import base64
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy.exc import SQLAlchemyError

from services.mss import repository, service
from services.mss.domain import sasl
from services.mss.domain.mailboxes import normalised
from services.mss.settings import MssSettings
from socle.errors import Category, DomainError
from socle.kernel import Kernel
from socle.logs import get_logger

MAX_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8: at least that many
REFUSED = "535 5.7.8 Authentication credentials invalid"
TRY_LATER = "451 4.3.0 Temporary failure, nothing was stored; try again later"
log = get_logger("mss.smtp")


class SubmissionHandler:
    """One per connection."""

    def __init__(self, kernel: Kernel, settings: MssSettings) -> None:
        self.kernel = kernel
        self.settings = settings
        self.session: service.Session | None = None

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._authenticate(server, "XOAUTH2", args)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._authenticate(server, "OAUTHBEARER", args)

    async def _authenticate(self, server: SMTP, mechanism: str, args: list[str]) -> AuthResult:
        try:
            if len(args) > 1:
                response = sasl.decode_base64(args[1].encode())
            else:
                challenged = await server.challenge_auth("")
                if not isinstance(challenged, bytes):  # the client gave up and has been answered
                    return AuthResult(success=False, handled=True)
                response = challenged
            login = sasl.parse_response(mechanism, response)
        except sasl.MalformedResponseError as error:
            return _answered(f"501 5.5.2 {mechanism}: the response {error}")
        try:
            self.session = await service.log_in(self.kernel, login)
        except DomainError as error:
            log.info("login_refused", reason=error.code)
            if error.retriable:
                return _answered("454 4.7.0 Temporary authentication failure")
            return await self._refuse(server)
        except (SQLAlchemyError, OSError):
            return _answered("454 4.7.0 Temporary authentication failure")
        return AuthResult(success=True, auth_data=self.session)

    async def _refuse(self, server: SMTP) -> AuthResult:
        """334 with the error as JSON, the client's empty answer, 535 (spec: mss.md §1.4)."""
        if self.settings.mss_drop_refused_login:
            await server.push(b"334 " + base64.b64encode(sasl.REFUSAL))
            if server.transport is not None:
                server.transport.close()
            return AuthResult(success=False, handled=True)
        answer = await server.challenge_auth(sasl.REFUSAL)
        if not isinstance(answer, bytes):
            return AuthResult(success=False, handled=True)
        return _answered(REFUSED)

    async def handle_MAIL(
        self,
        _server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        assert self.session is not None  # auth_required
        sender = normalised(address or "")
        if sender not in self.session.mailboxes:
            return "553 5.7.1 Sender address rejected: not owned by the authenticated user"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        assert self.session is not None
        recipient = normalised(address)
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            async with self.kernel.database.read() as session:
                known = await repository.get_kinds(session, self.session.space, [recipient])
        except (SQLAlchemyError, OSError):
            return TRY_LATER
        if recipient not in known:
            return "550 5.1.1 Recipient address rejected: no such mailbox in this space"
        if recipient not in envelope.rcpt_tos:
            envelope.rcpt_tos.append(recipient)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:
        assert self.session is not None
        content: Any = envelope.content
        try:
            message = await service.submit(
                self.kernel,
                self.session.space,
                str(envelope.mail_from),
                envelope.rcpt_tos,
                bytes(content),
            )
        except DomainError as error:
            enhanced = "5.1.1" if error.category is Category.NOT_FOUND else "4.3.0"
            return f"{error.mapped.smtp} {enhanced} {error.detail}"
        except (SQLAlchemyError, OSError) as error:
            # Only the type: the text of a database error quotes the statement, and so the mail.
            log.warning("submission_failed", error=type(error).__name__)
            return TRY_LATER
        return f"250 2.0.0 OK: stored as {message}"


def _answered(status: str) -> AuthResult:
    return AuthResult(success=False, handled=False, message=status)
