"""The client's side of an exchange: its body as it arrives, and its leaving."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Scope

from socle.http.context import header

# Below this a body is sent in one piece, which is twice as fast as an iterator; above, memory
# holds one chunk and what the sockets buffer, whatever the size of the body.
WHOLE_BYTES = 64 * 1024


class ClientGoneError(Exception):
    """The caller closed its connection: nobody is left to answer."""


class ClientBody:
    """Reads `receive` at most once to the end; remembers why it stopped.

    The client library wraps whatever an iterator raises, so the first cause is kept here.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self.length = header(scope, b"content-length")
        self._complete = not (self.length.strip("0") or header(scope, b"transfer-encoding"))
        self._taken = False
        self._at_end = asyncio.Event()
        self.failure: Exception | None = None
        if self._complete:
            self._at_end.set()

    async def open(self) -> "bytes | AsyncIterator[bytes] | None":
        """None for no body, bytes for a small one, an iterator for a large one."""
        if self._complete:
            return None
        pieces: list[bytes] = []
        size = 0
        while size < WHOLE_BYTES:
            piece = await self._next()
            if piece is None:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
        return self._rest(pieces)

    async def _rest(self, first: list[bytes]) -> AsyncIterator[bytes]:
        try:
            while first:
                yield first.pop(0)
            while (piece := await self._next()) is not None:
                yield piece
        except Exception as error:
            self.failure = error
            raise

    async def _next(self) -> bytes | None:
        if self._complete:
            return None
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        if not message.get("more_body", False):
            self._complete = True
            self._at_end.set()
        body: bytes = message.get("body", b"")
        return body

    async def client_gone(self) -> None:
        """Returns when the caller has left, however long that takes."""
        await self._at_end.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
