"""aiosmtpd's protocol as this service needs it: longer commands, its own DATA, the loop's TLS."""

import asyncio
import logging
from collections import defaultdict
from copy import copy
from typing import Any, Final, Self, cast

from aiosmtpd.smtp import TLSSetupException, syntax

from services.mss.domain import sasl
from services.mss.domain.sasl import MAX_RESPONSE
from services.mss.smtp.data import read_text
from services.mss.smtp.exchange import Exchange
from services.mss.smtp.parameters import SIZES, DeliveryParameters
from services.mss.tls import peer_certificate
from socle.logs import get_logger

log = get_logger("mss.smtp")

# aiosmtpd logs envelope addresses at INFO, and AUTH exchanges at DEBUG.
logging.getLogger("mail.log").setLevel(logging.ERROR)

_TOLD: Final = {
    "500 Error: strict ASCII mode": "500 5.5.2 A command is ASCII; SMTPUTF8 is not offered. A host name "
    "with accents, as EHLO tells that of a computer, is set in the client (localhost, or punycode); an "
    "address has none",
    "501 Error: SMTPUTF8 disabled": "555 5.5.4 SMTPUTF8 is not offered: leave it out, addresses are ASCII",
}
"""What aiosmtpd says without a reason that its reader could act upon."""


class MailServer(DeliveryParameters):
    """The first is the pattern of all further ones (`another`) and serves nobody.

    aiosmtpd takes no command over 512 octets; an access token is longer (RFC 4954 §4).

    The stream's own limit is raised with it, while a line of a message keeps the 1000 octets
    of RFC 5321 §4.5.3.1.6.
    """

    _external: Any = None

    def __init__(self, handler: Exchange, **arguments: Any) -> None:
        super().__init__(handler, **arguments)
        self._set_limits()

    def another(self, handler: Exchange) -> Self:
        """One more connection, set up as this one was. aiosmtpd looks at each attribute of itself and
        of the handler to find their methods, which takes a third of a millisecond: once will do."""
        made = copy(self)
        reader = asyncio.StreamReader(limit=MAX_RESPONSE, loop=self.loop)
        asyncio.StreamReaderProtocol.__init__(made, reader, made._cb_client_connected, self.loop)
        made.event_handler = handler
        made._auth_methods = {
            name: one._replace(method=getattr(handler, one.method.__name__))
            for name, one in self._auth_methods.items()
        }
        made._handle_hooks = {
            name: getattr(handler, f"handle_{name}") for name in self._handle_hooks
        }
        made._smtp_methods = {name: getattr(made, f"smtp_{name}") for name in self._smtp_methods}
        made._set_limits()
        # Offered to whom presented a certificate, which is known after the handshake only.
        made._external = made._auth_methods.pop(sasl.EXTERNAL, None)
        return made

    def _set_limits(self) -> None:
        # Before EHLO: an AUTH sent then must be told to greet first, not that it is too long.
        self.command_size_limit = MAX_RESPONSE
        self.command_size_limits: dict[str, int] = defaultdict(
            lambda: 512, AUTH=MAX_RESPONSE, **SIZES
        )

    async def push(self, status: str | bytes) -> None:
        if isinstance(status, str):
            await super().push(_TOLD.get(status, status))
        else:
            await super().push(status)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The port without STARTTLS gives a transport that is encrypted already."""
        super().connection_made(transport)
        if transport.get_extra_info("ssl_object") is not None:
            self._encrypted_by(transport)

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """As aiosmtpd's, but with the TLS of the loop: uvloop has its own in C, aiosmtpd takes asyncio's."""
        if arg:
            await self.push("501 Syntax: STARTTLS")
            return
        if self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS is active already")
            return
        await self.push("220 Ready to start TLS")
        self._original_transport = self.transport
        plain = cast("asyncio.Transport", self.transport)  # uvloop's are no subclass
        assert self.tls_context is not None
        # What came behind the command in clear text may be anybody's (RFC 3207 §6).
        self._reader._buffer.clear()  # type: ignore[attr-defined]
        try:
            secured = await self.loop.start_tls(
                plain, self, self.tls_context, server_side=True, ssl_handshake_timeout=20
            )
        except Exception as error:
            raise TLSSetupException from error
        assert secured is not None
        self._secured_by(secured)

    def _secured_by(self, transport: asyncio.Transport) -> None:
        """The client has to greet again, encrypted; it may have done so already (RFC 3207 §4.2)."""
        self.transport = transport
        self._reader._transport = self._writer._transport = transport  # type: ignore[attr-defined]
        self.envelope = self._create_envelope()
        self.session = self._create_session()
        self.session.peer = transport.get_extra_info("peername")
        self._encrypted_by(transport)

    def _encrypted_by(self, transport: asyncio.BaseTransport) -> None:
        assert self.session is not None
        self._tls_protocol = transport  # type: ignore[assignment]  # only whether there is one counts
        self.session.ssl = {}  # which tells aiosmtpd that the end of the stream is TLS's affair
        certificate = peer_certificate(transport.get_extra_info("ssl_object"))
        if certificate is not None:
            self.event_handler.certificate = certificate
            if self._external is not None:
                self._auth_methods[sasl.EXTERNAL] = self._external

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:
        """Mechanisms have their names in upper case (RFC 4422 §3.1); clients that have them from a
        configuration file write `xoauth2`, which other servers take."""
        mechanism, blank, response = (arg or "").partition(" ")
        await super().smtp_AUTH(f"{mechanism.upper()}{blank}{response}")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:
        """As aiosmtpd's, in its words, but for how the text is read (data.py)."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        assert self.data_size_limit is not None
        text = await read_text(self._reader, self.data_size_limit, self.line_length_limit)
        if text == "too_long":
            status = "500 Line too long (see RFC5321 4.5.3.1.6)"
            status = await self.event_handler.refuse_text("line_too_long", status)
        elif text == "too_much":
            status = "552 Error: Too much mail data"
            status = await self.event_handler.refuse_text("too_large", status)
        else:
            self.envelope.content = text
            status = await self._call_handler_hook("DATA")
        self.envelope = self._create_envelope()
        await self.push(status)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd's own text would show the client an internal message."""
        log.error("smtp_failed", error=type(error).__name__)
        return "451 4.3.0 Internal error, nothing was stored; try again later"
