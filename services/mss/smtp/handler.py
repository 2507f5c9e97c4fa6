"""What is decided in an SMTP session: who logs in, who may send to whom, what is stored.

aiosmtpd calls `auth_X` and `handle_X` by their names.
"""

import base64
from dataclasses import replace

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy.exc import SQLAlchemyError

from services.mss import service
from services.mss.certificate_login import log_in_with_certificate
from services.mss.chaos import MailFaults, Place
from services.mss.domain import sasl
from services.mss.domain.envelope import Envelope as MailEnvelope
from services.mss.domain.envelope import ParameterError
from services.mss.domain.mailboxes import normalised
from services.mss.domain.report_parts import ascii_line
from services.mss.intake import Intake, Submitter
from services.mss.settings import MssSettings
from services.mss.smtp.chaos import EXPIRED, told
from services.mss.smtp.exchange import Exchange, parameter_reply, recipient_reply
from services.mss.smtp.passage import passage_of
from socle.errors import DomainError
from socle.kernel import Kernel
from socle.logs import get_logger

REFUSED = "535 5.7.8 Authentication credentials invalid"
"""Followed by the reason, which real operators keep to themselves."""
log = get_logger("mss.smtp")


class SubmissionHandler(Exchange):
    """One per connection of a user."""

    def __init__(
        self, kernel: Kernel, settings: MssSettings, intake: Intake, faults: MailFaults
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.settings = settings
        self.intake = intake
        self.faults = faults
        self.session: service.Session | None = None
        self.mechanism = ""

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._authenticate(server, "XOAUTH2", args)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:
        return await self._authenticate(server, "OAUTHBEARER", args)

    async def auth_EXTERNAL(self, server: SMTP, args: list[str]) -> AuthResult:
        """Offered once a certificate has been presented (server.py)."""
        return await self._authenticate(server, sasl.EXTERNAL, args)

    async def _authenticate(self, server: SMTP, mechanism: str, args: list[str]) -> AuthResult:
        try:
            if len(args) > 1:
                response = sasl.decode_base64(args[1].encode())
            else:
                challenged = await server.challenge_auth("")
                if not isinstance(challenged, bytes):  # the client gave up and has been answered
                    return AuthResult(success=False, handled=True)
                response = challenged
            if mechanism == sasl.EXTERNAL:
                user = sasl.parse_external(response)
                logging_in = log_in_with_certificate(self.kernel, self.certificate, user)
            else:
                login = sasl.parse_response(mechanism, response)
                logging_in = service.log_in(self.kernel, login)
        except sasl.MalformedResponseError as error:
            return _answered(f"501 5.5.2 {mechanism}: the response {error}")
        try:
            session = await logging_in
        except DomainError as error:
            log.info("login_refused", reason=error.code)
            if error.retriable:
                return _answered("454 4.7.0 Temporary authentication failure")
            if mechanism == sasl.EXTERNAL:
                return _answered(f"535 5.7.8 {ascii_line(error.detail)}")
            drop = self.settings.mss_drop_refused_login
            return await self._refuse(server, drop=drop, why=error.detail)
        except (SQLAlchemyError, OSError):
            return _answered("454 4.7.0 Temporary authentication failure")
        rule = await self.faults.strike(Place("SMTP", "auth", session))
        if rule is not None and rule.effect in ("refuse_token", "drop_refused_token"):
            return await self._refuse(server, drop=rule.effect == "drop_refused_token")
        if rule is not None:
            return _answered(await told(server, rule))
        self.session, self.mechanism = session, mechanism
        return AuthResult(success=True, auth_data=session)

    async def _refuse(self, server: SMTP, *, drop: bool, why: str = "") -> AuthResult:
        """334 with the error as JSON, the client's empty answer, 535 (spec: mss.md §1.4)."""
        if drop:
            await server.push(b"334 " + base64.b64encode(sasl.REFUSAL))
            if server.transport is not None:
                server.transport.close()
            return AuthResult(success=False, handled=True)
        answer = await server.challenge_auth(sasl.REFUSAL)
        if not isinstance(answer, bytes):
            return AuthResult(success=False, handled=True)
        return _answered(f"{REFUSED}: {ascii_line(why)}" if why else REFUSED)

    async def handle_MAIL(
        self,
        server: SMTP,
        session: SmtpSession,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """`<>` is for reports (RFC 5321 §4.5.5), such as the read receipts of mail clients."""
        assert self.session is not None  # auth_required
        sender = normalised(address or "")
        left = self.session.seconds_left()
        if self.settings.mss_sessions_end_with_token and left is not None and left <= 0:
            self.session, session.authenticated = None, False
            return EXPIRED
        if sender and sender not in self.session.mailboxes:
            return "553 5.7.1 Sender address rejected: not owned by the authenticated user"
        try:
            return self.begin(server, envelope, address, options)
        except ParameterError as error:
            return parameter_reply(error)

    async def refusal_of(self, address: str, size: int) -> str | None:
        refusal = await self.intake.refusal_of(self._submitter(), address, size)
        return None if refusal is None else recipient_reply(refusal)

    async def tell_refused(self, envelope: MailEnvelope, reason: str, code: int) -> None:
        await self.intake.tell_refused(self._submitter(), envelope, b"", reason, code)

    async def take(self, server: SMTP, envelope: MailEnvelope, content: bytes) -> str:
        submitter = replace(self._submitter(), passage=passage_of(server, self.mechanism))
        submitted = await self.intake.submit(submitter, envelope, content)
        warned = f" ({submitted.warned} only warned of)" if submitted.warned else ""
        return f"{submitted.message}{warned}"

    def _submitter(self) -> Submitter:
        """A report is submitted in the name of the mailbox that is logged in; an application is no
        professional."""
        assert self.session is not None
        who = self.session.subject
        return Submitter(
            space=self.session.space,
            mailbox=self.sender or self.session.mailbox.address,
            professional=who.national_id if who else None,
            token=who.token if who else "",
        )


def _answered(status: str) -> AuthResult:
    return AuthResult(success=False, handled=False, message=status)
