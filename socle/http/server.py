"""Serves an application with uvicorn, the same way everywhere."""

import asyncio
import gc
import socket
import ssl
import sys
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from socle.http.tls import CertificateAwareProtocol
from socle.logs import get_logger

STARTUP_FAILURE = 3
"""As uvicorn says it when its own port is taken."""

log = get_logger("http.server")


@dataclass(frozen=True, slots=True)
class TlsListener:
    port: int
    context: ssl.SSLContext


def serve(app: ASGIApp, host: str, port: int, tls: TlsListener | None = None) -> None:
    """Until SIGTERM or SIGINT; requests in flight are given ten seconds."""
    # What was imported lives as long as the process: frozen, no full collection walks it again.
    # Measured at the gateway: p99 from 62 to 18 ms (docs/performance.md).
    gc.collect()
    gc.freeze()
    Server(configuration(app, host=host, port=port), tls).run()


def configuration(app: ASGIApp, **changes: Any) -> uvicorn.Config:
    values: dict[str, Any] = {
        "loop": "uvloop",
        "http": CertificateAwareProtocol,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # The gateway sets X-Forwarded-*; nobody on this machine may choose what it says.
        "proxy_headers": False,
        "date_header": True,
        # Longer than the gateway keeps its idle connections, so that it never meets one that
        # is being closed.
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 10,
        "backlog": 2048,
    }
    return uvicorn.Config(app, **{**values, **changes})


class Server(uvicorn.Server):
    """One application, one life; a second listener beside the first when `tls` is given."""

    def __init__(self, config: uvicorn.Config, tls: TlsListener | None) -> None:
        super().__init__(config)
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._tls is not None and not self.should_exit:
            self.servers.append(await self._listen(self._tls))

    async def _listen(self, tls: TlsListener) -> asyncio.Server:
        try:
            return await asyncio.get_running_loop().create_server(
                lambda: CertificateAwareProtocol(
                    config=self.config,
                    server_state=self.server_state,
                    app_state=self.lifespan.state,
                ),
                host=self.config.host,
                port=tls.port,
                ssl=tls.context,
                backlog=self.config.backlog,
            )
        except OSError as error:
            log.error("tls_port_taken", port=tls.port, error=str(error))  # noqa: TRY400 (no trace)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)
