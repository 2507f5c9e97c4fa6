"""Bounds: on the requests in flight, on the bytes of one body, and on those of all bodies together."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.errors import busy, too_large
from socle.http.context import header
from socle.metrics import IN_FLIGHT, REJECTED

# Probes must answer while the service refuses work, or an orchestrator would kill it for that.
_NEVER_REFUSED = ("/livez", "/readyz", "/metrics")


class InFlightLimit:
    """Beyond the cap a request is refused at once: a queue would only hide the overload."""

    def __init__(self, app: ASGIApp, service: str, limit: int) -> None:
        self.app = app
        self.service = service
        self.limit = limit
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _NEVER_REFUSED:
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.limit:
            REJECTED.labels(self.service).inc()
            raise busy(f"{self.limit} requests are being served already; try again shortly.")
        self.in_flight += 1
        IN_FLIGHT.labels(self.service).set(self.in_flight)
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1
            IN_FLIGHT.labels(self.service).set(self.in_flight)


class BodyLimit:
    """Refuses a body as soon as it is too large: by its announced length, or while it streams.

    A service holds a body in memory until it has answered. `total` bounds what all of them hold, so
    that many large ones at once are told to come again and do not have the process killed.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        by_path: Mapping[str, int] | None = None,
        total: int | None = None,
    ) -> None:
        """`by_path` holds other limits for some paths, without the space; one that ends with a
        slash stands for all below it. Without `total`, bodies pass through and are not held."""
        self.app = app
        self.limit = limit
        self.by_path = by_path or {}
        self.total = total
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._of(scope["path"])
        announced = header(scope, b"content-length")
        if announced.isdigit() and int(announced) > limit:
            raise too_large(limit)
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                received += size
                self.held += size
                if received > limit:
                    raise too_large(limit)
                # The only body there is may always come in, whatever `total` is.
                if self.total is not None and self.held > max(self.total, received):
                    raise busy(
                        f"The bodies of requests that came before hold {self.held - received} bytes "
                        f"of the {self.total} set aside for them; send this one again shortly."
                    )
            return message

        try:
            await self.app(scope, counted_receive, send)
        finally:
            self.held -= received

    def _of(self, path: str) -> int:
        for known, limit in self.by_path.items():
            if path == known or (known.endswith("/") and path.startswith(known)):
                return limit
        return self.limit
