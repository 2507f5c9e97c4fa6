"""Minimal Lower Layer Protocol (HL7 v2.5 appendix C): `<VT>message<FS><CR>`, over TCP or TLS."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from socle.logs import get_logger

START: Final = b"\x0b"
END: Final = b"\x1c\r"
TLS_SCHEME: Final = "mllps"
ENDPOINT: Final = r"(?:(mllps?)://)?([A-Za-z0-9.:\[\]-]{1,253}):([0-9]{1,5})"
"""`host:port` or `mllp://host:port`; `mllps://host:port` where TLS is spoken."""
_CHUNK: Final = 1 << 16
_MAX_NOISE: Final = 1024
"""Octets between two messages: some clients send line ends."""
_READ_AT_ONCE: Final = 4
"""Messages that are taken apart at the same time: each costs a multiple of its size in memory."""
_HANDSHAKE_SECONDS: Final = 10.0

Handle = Callable[[bytes], Awaitable[bytes]]
log = get_logger("mss.mllp")


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """ValueError where it is none."""
        found = re.fullmatch(ENDPOINT, text)
        if found is None or int(found[3]) > 65535:
            raise ValueError("an endpoint is host:port, mllp://host:port or mllps://host:port")
        return cls(found[2].strip("[]"), int(found[3]), found[1] == TLS_SCHEME)


class Mllp:
    """The listener. What all connections hold together is bounded; one that would pass the bound is
    closed, and its client sends again."""

    def __init__(
        self,
        handle: Handle,
        *,
        max_bytes: int,
        max_held: int,
        max_connections: int,
        idle_seconds: float,
    ) -> None:
        self._handle = handle
        self._max_bytes = max_bytes
        self._max_held = max_held
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._held = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._turns = asyncio.Semaphore(_READ_AT_ONCE)

    @asynccontextmanager
    async def listening(
        self, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[int]:
        """Several may be open at once; their connections count together."""
        server = await asyncio.start_server(
            self._serve, host, port, limit=_CHUNK, ssl=tls,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS if tls else None,
        )  # fmt: skip
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._max_connections:
            writer.close()
            return
        self._open.add(writer)
        try:
            await self._answer_all(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending = bytearray()
        while True:
            message = await self._next(reader, pending)
            if message is None:
                return
            self._held += len(message)
            try:
                async with self._turns:
                    answer = await self._handle(message)
            finally:
                self._held -= len(message)
            writer.write(START + answer + END)
            async with asyncio.timeout(self._idle_seconds):
                await writer.drain()

    async def _next(self, reader: asyncio.StreamReader, pending: bytearray) -> bytes | None:
        """None at the end of the connection, or where it is to be closed. `pending` keeps what came
        after the message."""
        counted = 0
        try:
            looked = 0
            while True:
                end = pending.find(END, looked)
                if end >= 0:
                    first = pending.find(START, 0, end)
                    if not 0 <= first <= _MAX_NOISE:
                        return None
                    # A frame that was cut short and begun anew: only the whole one is a message.
                    start = pending.rfind(START, first, end)
                    message = bytes(pending[start + 1 : end])
                    del pending[: end + len(END)]
                    return message
                looked = max(0, len(pending) - 1)
                if START not in pending[: _MAX_NOISE + 1] and len(pending) > _MAX_NOISE:
                    return None
                async with asyncio.timeout(self._idle_seconds):
                    chunk = await reader.read(_CHUNK)
                if not chunk:
                    return None
                if (
                    len(pending) + len(chunk) > self._max_bytes
                    or self._held + len(chunk) > self._max_held
                ):
                    log.warning("mllp_message_too_large_or_busy", size=len(pending) + len(chunk))
                    return None
                pending += chunk
                self._held += len(chunk)
                counted += len(chunk)
        finally:
            self._held -= counted


async def send(
    endpoint: Endpoint, message: bytes, timeout_seconds: float, tls: ssl.SSLContext | None = None
) -> bytes:
    """The answer to one message; `tls` is asked for where the endpoint wants it. OSError, TimeoutError,
    IncompleteReadError or LimitOverrunError where there is no answer."""
    if endpoint.tls and tls is None:
        raise ValueError("this endpoint is spoken to over TLS only")
    async with asyncio.timeout(timeout_seconds):
        reader, writer = await asyncio.open_connection(
            endpoint.host, endpoint.port, ssl=tls if endpoint.tls else None
        )
        try:
            writer.write(START + message + END)
            await writer.drain()
            answer = await reader.readuntil(END)
        finally:
            writer.close()
    return answer.removesuffix(END).partition(START)[2]
