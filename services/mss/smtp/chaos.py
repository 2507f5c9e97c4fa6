"""Faults on SMTP, told as a server in trouble would."""

import asyncio
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from services.mss.chaos import MailFaults, Place
from services.mss.domain import smtp_errors
from services.mss.domain.mailboxes import normalised
from services.mss.smtp.parameters import DeliveryParameters
from socle.faults import FaultRule

EXPIRED = "530 5.7.0 Authentication required: the access token has expired"
_PLACES = ("MAIL", "RCPT", "DATA")


class FaultySmtp(DeliveryParameters):
    """Asks the rules before each operation. The handler has `faults`, `session`, `sender` and
    `recipients`; what happens at AUTH it decides itself, since the token names the space."""

    async def _handle_client(self) -> None:
        rule = await self._faults.strike(Place("SMTP", "connect"))
        if rule is not None:
            status = _status(rule)
            if status:
                await self.push(status)
            if self.transport is not None:
                self.transport.close()
            return
        await super()._handle_client()

    async def _call_handler_hook(self, command: str, *arguments: Any) -> Any:
        if command in _PLACES:
            rule = await self._faults.strike(self._place(command, arguments))
            if rule is not None:
                return await self._struck(rule)
        return await super()._call_handler_hook(command, *arguments)

    @property
    def _faults(self) -> MailFaults:
        faults: MailFaults = self.event_handler.faults
        return faults

    def _place(self, command: str, arguments: tuple[Any, ...]) -> Place:
        handler = self.event_handler
        sender, recipients = handler.sender, tuple(handler.recipients)
        if command == "MAIL":
            sender, recipients = normalised(arguments[0]), ()
        elif command == "RCPT":
            recipients = (normalised(arguments[0]),)
        return Place("SMTP", command.lower(), handler.session, sender, recipients)

    async def _struck(self, rule: FaultRule) -> str:
        if rule.effect == "expire_session":
            assert self.session is not None
            self.session.authenticated = False
            self.event_handler.session = None
        return await told(self, rule)


async def told(server: SMTP, rule: FaultRule) -> str:
    """The reply; does not return where the connection ends with it, or without one: aiosmtpd ends the
    session's task once the connection is gone."""
    status = _status(rule)
    if status and not status.startswith("421"):
        return status
    if status:
        await server.push(status)
    if server.transport is not None:
        transport = cast("asyncio.WriteTransport", server.transport)  # uvloop's are no subclass
        transport.close() if status else transport.abort()
    await asyncio.Event().wait()
    return status


def _status(rule: FaultRule) -> str:
    """Empty where the connection is dropped without a word."""
    if rule.effect == "rate_limit":
        return "421 4.7.0 Too many messages, try again later"
    if rule.effect == "expire_session":
        return EXPIRED
    if rule.status is None or rule.status in smtp_errors.NO_CONNECTION:
        return ""
    return smtp_errors.reply(rule.status)
