"""A path that ends with a slash is the one without it: a redirect would name the service's own address."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send


class TrailingSlash:
    """`prefixes` are paths of APIs, without the space; what lies elsewhere keeps its slash."""

    def __init__(self, app: ASGIApp, prefixes: Iterable[str]) -> None:
        self.app = app
        self.prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            path = scope["path"].rstrip("/")
            if path.startswith(self.prefixes):
                raw = scope["raw_path"].rstrip(b"/")
                scope = {**scope, "path": path, "raw_path": raw}
        await self.app(scope, receive, send)
