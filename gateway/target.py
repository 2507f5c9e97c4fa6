"""The request target as it arrived, kept before the prefix of a space is taken off the path."""

from starlette.types import ASGIApp, Receive, Scope, Send

from socle.http.context import state_of


class RawTarget:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state_of(scope)["raw_target"] = scope["raw_path"]
        await self.app(scope, receive, send)


def target_of(scope: Scope) -> str:
    """Path and query as the client wrote them, its /s/<space> prefix included.

    Bytes that no URI may hold raw (RFC 3986 §2) are percent-encoded.
    """
    target: bytes = state_of(scope)["raw_target"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    if target.isascii():
        return target.decode("ascii")
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in target)
