"""The SMTP listener: aiosmtpd in the service's own event loop."""

import asyncio
import logging
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from aiosmtpd.smtp import SMTP

from services.mss.domain.sasl import MAX_RESPONSE
from services.mss.settings import MssSettings
from services.mss.smtp.handler import SubmissionHandler
from socle.kernel import Kernel
from socle.logs import get_logger

log = get_logger("mss.smtp")

# aiosmtpd logs envelope addresses at INFO, and AUTH exchanges at DEBUG.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Submission(SMTP):
    """aiosmtpd takes no command over 512 octets; an access token is longer (RFC 4954 §4).

    The stream's own limit is raised with it, while a line of a message keeps the 1000 octets
    of RFC 5321 §4.5.3.1.6.
    """

    def __init__(self, handler: SubmissionHandler, **arguments: Any) -> None:
        self.line_length_limit = MAX_RESPONSE
        super().__init__(handler, **arguments)
        self.line_length_limit = SMTP.line_length_limit
        # Before EHLO: an AUTH sent then must be told to greet first, not that it is too long.
        self.command_size_limit = MAX_RESPONSE
        self.command_size_limits: dict[str, int] = defaultdict(lambda: 512, AUTH=MAX_RESPONSE)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd's own text would show the client an internal message."""
        log.error("smtp_failed", error=type(error).__name__)
        return "451 4.3.0 Internal error, nothing was stored; try again later"


@asynccontextmanager
async def smtp_server(kernel: Kernel, settings: MssSettings, tls: SSLContext) -> AsyncIterator[int]:
    """Listens while the block runs; gives the port."""
    loop = asyncio.get_running_loop()
    open_sessions: weakref.WeakSet[Submission] = weakref.WeakSet()

    def connection() -> Submission:
        made = Submission(
            SubmissionHandler(kernel, settings),
            data_size_limit=settings.mss_max_message_bytes,
            hostname=settings.mss_hostname,
            ident="Socle MSS sandbox",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            auth_require_tls=True,
            auth_exclude_mechanism=("PLAIN", "LOGIN"),
            loop=loop,
        )
        open_sessions.add(made)
        return made

    server = await loop.create_server(connection, settings.host, settings.mss_smtp_port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for session in list(open_sessions):
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()
