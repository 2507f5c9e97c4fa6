"""Where mail is listened for: sockets that this process binds, or that another has bound and shares."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

BACKLOG = 1024
HANDSHAKE_SECONDS = 20


class Socket(Protocol):
    """As a loop shows those that it listens on."""

    def fileno(self) -> int: ...

    def getsockname(self) -> tuple[str, int]: ...


Sockets = Sequence[Socket]


@dataclass(frozen=True, slots=True)
class Address:
    """Without a port and descriptors, it is nowhere: nobody listens."""

    host: str
    port: int | None
    descriptors: tuple[int, ...] = ()
    """Of sockets that are bound already; host and port are of no concern then."""

    implicit_tls: bool = False
    """TLS from the first octet on, without STARTTLS."""

    async def listen(
        self, factory: Callable[[], asyncio.Protocol], tls: ssl.SSLContext
    ) -> list[asyncio.Server]:
        loop = asyncio.get_running_loop()
        ways: dict[str, Any] = {"backlog": BACKLOG}
        if self.implicit_tls:
            ways |= {"ssl": tls, "ssl_handshake_timeout": HANDSHAKE_SECONDS}
        if self.descriptors:
            return [
                await loop.create_server(factory, sock=socket.socket(fileno=one), **ways)
                for one in self.descriptors
            ]
        if self.port is None:
            return []
        return [await loop.create_server(factory, self.host, self.port, **ways)]


def sockets_of(servers: Sequence[asyncio.Server]) -> Sockets:
    return [one for server in servers for one in server.sockets]


def port_of(sockets: Sockets) -> int:
    return sockets[0].getsockname()[1]
