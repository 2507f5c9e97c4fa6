"""The client's side of an exchange: its body as it arrives, and its leaving."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Scope

from socle.errors import Category, DomainError
from socle.http.context import header


class ClientGoneError(Exception):
    """The caller closed its connection: nobody is left to answer."""


def _stalled(seconds: float) -> DomainError:
    """A caller that sends nothing must not keep one of the places of `max_in_flight`."""
    return DomainError(
        Category.INCORRECT,
        "body_stalled",
        f"Nothing more of the body has arrived for {seconds:g} s.",
        status=408,
    )


class ClientBody:
    """Reads `receive` at most once to the end; remembers why it stopped.

    The client library wraps whatever an iterator raises, so the first cause is kept here.
    """

    def __init__(self, scope: Scope, receive: Receive, patience: float) -> None:
        self._receive = receive
        self._patience = patience
        self.length = header(scope, b"content-length")
        self._complete = not (self.length.strip("0") or header(scope, b"transfer-encoding"))
        self._at_end = asyncio.Event()
        self.failure: Exception | None = None
        if self._complete:
            self._at_end.set()

    def pieces(self) -> AsyncIterator[bytes] | None:
        """The body as it arrives; None when the request has none."""
        return None if self._complete else self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            while not self._complete:
                yield await self._next()
        except Exception as error:
            self.failure = error
            raise

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError as error:
            raise _stalled(self._patience) from error
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
