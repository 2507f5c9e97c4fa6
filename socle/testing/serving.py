"""An application on a loopback port, served in the test's own loop in the way of production."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from socle.http.server import Server, TlsListener, configuration
from socle.testing.stack import free_ports


class _Server(Server):
    def __init__(self, config: uvicorn.Config, tls: TlsListener | None) -> None:
        super().__init__(config, tls)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are pytest's, not the server's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def serving(
    build: Callable[[str], ASGIApp],
    *,
    lifespan: Literal["on", "off"] = "on",
    tls: TlsListener | None = None,
) -> AsyncIterator[str]:
    """The address. `build` is told it first: an issuer has to know its own name."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = configuration(build(url), lifespan=lifespan, timeout_graceful_shutdown=1)
    server = _Server(config, tls)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    started = asyncio.create_task(server.up.wait())
    done, _ = await asyncio.wait({task, started}, timeout=20, return_when="FIRST_COMPLETED")
    try:
        if task in done:
            await task
        assert started in done, "the application did not start in time"
        yield url
    finally:
        started.cancel()
        server.should_exit = True
        await task
        listener.close()


def tls_listener(context: ssl.SSLContext) -> tuple[TlsListener, str]:
    """A listener on a free port, and its address."""
    [port] = free_ports(1)
    return TlsListener(port, context), f"https://localhost:{port}"
