"""Bodies that a client sent compressed, as some stacks do by default (RFC 9110 §8.4).

They are decoded piece by piece outside of what limits bodies, so that the limit is of what they hold.
"""

import zlib
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.errors import Category, DomainError
from socle.http.context import header

_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_PIECE: Final = 262_144


class ContentDecoding:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = header(scope, b"content-encoding").strip().lower() if _http(scope) else ""
        if coding in ("", "identity"):
            await self.app(scope, receive, send)
            return
        if coding not in _WINDOW:
            raise DomainError(
                Category.INCORRECT,
                "content_encoding",
                f"Content-Encoding is {coding[:40]}; send gzip, deflate, or the body as it is.",
                status=415,
                headers={"Accept-Encoding": "gzip, deflate"},
            )
        dropped = (b"content-encoding", b"content-length")
        headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
        decoding = _Decoding(receive, coding)
        await self.app({**scope, "headers": headers}, decoding.receive, send)


class _Decoding:
    def __init__(self, receive: Receive, coding: str) -> None:
        self._receive = receive
        self._coding = coding
        self._decoder = zlib.decompressobj(_WINDOW[coding])
        self._waiting = b""
        self._more = True
        self._ended = False

    async def receive(self) -> Message:
        while not self._ended:
            if not self._waiting and self._more:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._waiting = message.get("body", b"")
                self._more = message.get("more_body", False)
            try:
                piece = self._decoder.decompress(self._waiting, _PIECE)
            except zlib.error:
                raise self._broken("is not what it says") from None
            self._waiting = self._decoder.unconsumed_tail
            fed = not self._waiting and not self._more
            self._ended = fed and (self._decoder.eof or len(piece) < _PIECE)
            if self._ended and not self._decoder.eof:
                raise self._broken("was cut short")
            if piece or self._ended:
                return {"type": "http.request", "body": piece, "more_body": not self._ended}
        return await self._receive()

    def _broken(self, how: str) -> DomainError:
        return DomainError(
            Category.INCORRECT, "content_encoding", f"The body in {self._coding} {how}."
        )


def _http(scope: Scope) -> bool:
    return bool(scope["type"] == "http")
