"""Minimal Lower Layer Protocol (HL7 v2.5 appendix C): `<VT>message<FS><CR>`, over TCP or TLS."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from socle.logs import get_logger

START: Final = b"\x0b"
END: Final = b"\x1c\r"
TLS_SCHEME: Final = "mllps"
ENDPOINT: Final = r"(?:(mllps?)://)?([A-Za-z0-9.:\[\]-]{1,253}):([0-9]{1,5})"
"""`host:port` or `mllp://host:port`; `mllps://host:port` where TLS is spoken."""
_CHUNK: Final = 1 << 16
_MAX_BLANKS: Final = 1024
_BLANKS: Final = re.compile(rb"[\r\n\t \0]*")
"""Between two messages, as some clients send them."""
_HEAD: Final = 4096
"""Octets of a refused frame that are looked at, for its MSH."""
_TAIL_SECONDS: Final = 2.0
"""How long the CR may be late whose FS is there: who leaves it out waits for an answer."""
_READ_AT_ONCE: Final = 4
"""Messages that are taken apart at the same time: each costs a multiple of its size in memory."""
_HANDSHAKE_SECONDS: Final = 10.0

Handle = Callable[[bytes], Awaitable[bytes]]
Refuse = Callable[[bytes, Literal["AE", "AR"], str], bytes]
"""The answer to what came instead of a framed message, and why."""
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


class _RefusedError(Exception):
    """What comes is no message that can be waited for: `AR` to send it again, `AE` to send another.

    `chunk` is what came last, and was not kept.
    """

    def __init__(self, code: Literal["AE", "AR"], text: str, chunk: bytes = b"") -> None:
        super().__init__(text)
        self.code: Literal["AE", "AR"] = code
        self.text = text
        self.chunk = chunk


class Mllp:
    """The listener. What all connections hold together is bounded; one that would pass the bound is
    told so and closed, and its client sends again."""

    def __init__(
        self,
        handle: Handle,
        refuse: Refuse,
        *,
        max_bytes: int,
        max_held: int,
        max_connections: int,
        idle_seconds: float,
        tail_seconds: float = _TAIL_SECONDS,
    ) -> None:
        self._handle = handle
        self._refuse = refuse
        self._max_bytes = max_bytes
        self._max_held = max_held
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._tail_seconds = tail_seconds
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
            try:
                message = await self._next(reader, pending)
            except _RefusedError as error:
                log.warning("mllp_refused", reason=error.text, size=len(pending))
                begun = bytes((pending or error.chunk)[:_HEAD])
                if b"MSH" in begun:  # whoever speaks TLS or HTTP here would not read HL7
                    writer.write(START + self._refuse(begun, error.code, error.text) + END)
                    await self._drain(writer)
                return
            if message is None:
                return
            self._held += len(message)
            try:
                async with self._turns:
                    answer = await self._handle(message)
            finally:
                self._held -= len(message)
            writer.write(START + answer + END)
            await self._drain(writer)

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._idle_seconds):
            await writer.drain()

    async def _next(self, reader: asyncio.StreamReader, pending: bytearray) -> bytes | None:
        """None at the end of the connection. `pending` keeps what came after the message."""
        counted = 0
        try:
            looked = 0
            while True:
                first = _start_of(pending)
                end = pending.find(END, max(looked, first))
                if end >= 0:
                    # A frame that was cut short and begun anew: only the whole one is a message.
                    start = pending.rfind(START, first, end)
                    message = bytes(pending[start + 1 : end])
                    del pending[: end + len(END)]
                    return message
                looked = max(0, len(pending) - 1)
                chunk = await self._more(reader, pending)
                if not chunk:
                    return None
                if len(pending) + len(chunk) > self._max_bytes:
                    most = f"A message has {self._max_bytes} octets at most."
                    raise _RefusedError("AE", most, chunk)
                if self._held + len(chunk) > self._max_held:
                    busy = "Too much is held at the moment; send it again later."
                    raise _RefusedError("AR", busy, chunk)
                pending += chunk
                self._held += len(chunk)
                counted += len(chunk)
        finally:
            self._held -= counted

    async def _more(self, reader: asyncio.StreamReader, pending: bytearray) -> bytes:
        """Nothing at the end of the connection, where no message had begun."""
        ends_early = pending.endswith(END[:1])
        try:
            async with asyncio.timeout(self._tail_seconds if ends_early else self._idle_seconds):
                chunk = await reader.read(_CHUNK)
        except TimeoutError:
            chunk = b""
        if not chunk and START in pending:
            raise _RefusedError(
                "AE",
                "The frame ends with FS (0x1C) alone: CR (0x0D) follows it."
                if ends_early
                else "The frame does not end with FS CR (0x1C 0x0D): it may have been cut short.",
            )
        return chunk


def _start_of(pending: bytearray) -> int:
    """Where the first frame begins, or will begin."""
    found = _BLANKS.match(pending, 0, _MAX_BLANKS + 1)
    at = found.end() if found else 0
    if at > _MAX_BLANKS or bytes(pending[at : at + 1]) not in (b"", START):
        raise _RefusedError("AE", "The frame does not start with VT (0x0B).")
    return at


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
