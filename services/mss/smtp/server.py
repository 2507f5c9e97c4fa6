"""The SMTP listeners: aiosmtpd in the service's own event loop."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from services.mss.chaos import MailFaults
from services.mss.intake import Intake
from services.mss.listening import Address, Sockets, sockets_of
from services.mss.settings import MssSettings
from services.mss.smtp.chaos import FaultySmtp
from services.mss.smtp.handler import SubmissionHandler
from services.mss.smtp.mail_server import MailServer
from services.mss.smtp.peer_handler import PeerHandler
from services.mss.transport.reception import Reception
from socle.kernel import Kernel


class Submission(FaultySmtp, MailServer):
    """Of the operator's own users, whom the faults of their space strike."""


@asynccontextmanager
async def smtp_server(
    kernel: Kernel,
    settings: MssSettings,
    tls: SSLContext,
    intake: Intake,
    faults: MailFaults,
    address: Address,
) -> AsyncIterator[Sockets]:
    """For the operator's own users, who log in. Listens while the block runs."""

    def handler() -> SubmissionHandler:
        return SubmissionHandler(kernel, settings, intake, faults)

    pattern = Submission(
        handler(), **_common(settings, tls), auth_required=True, auth_require_tls=True
    )
    async with _listening(lambda: pattern.another(handler()), address, tls) as sockets:
        yield sockets


@asynccontextmanager
async def peer_server(
    kernel: Kernel, settings: MssSettings, tls: SSLContext, reception: Reception, address: Address
) -> AsyncIterator[Sockets]:
    """For other operators, whom their certificates name."""

    def handler() -> PeerHandler:
        return PeerHandler(kernel, settings, reception)

    pattern = MailServer(handler(), **_common(settings, tls))
    async with _listening(lambda: pattern.another(handler()), address, tls) as sockets:
        yield sockets


def _common(settings: MssSettings, tls: SSLContext) -> dict[str, Any]:
    return {
        "data_size_limit": settings.mss_max_message_bytes,
        "hostname": settings.mss_hostname,
        "ident": "Socle MSS sandbox",
        "tls_context": tls,
        "require_starttls": True,
        "auth_exclude_mechanism": ("PLAIN", "LOGIN"),
        "loop": asyncio.get_running_loop(),
    }


@asynccontextmanager
async def _listening(
    connection: Callable[[], MailServer], address: Address, tls: SSLContext
) -> AsyncIterator[Sockets]:
    open_sessions: weakref.WeakSet[MailServer] = weakref.WeakSet()

    def remembered() -> MailServer:
        made = connection()
        open_sessions.add(made)
        return made

    servers = await address.listen(remembered, tls)
    try:
        yield sockets_of(servers)
    finally:
        for server in servers:
            server.close()
        for session in list(open_sessions):
            if session.transport is not None:
                session.transport.close()
        for server in servers:
            await server.wait_closed()
