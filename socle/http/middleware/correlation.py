"""One id per request, from the caller or drawn here, in the answer, the logs and the events."""

import re

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle import __version__
from socle.clock import monotonic
from socle.http.context import correlation_id, header, traceparent
from socle.idgen import uuid7
from socle.metrics import LATENCY, REQUESTS

_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_VERSION = __version__.encode()


class Correlation:
    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = header(scope, b"x-correlation-id")
        identifier = given if _SAFE.fullmatch(given) else str(uuid7())
        trace = header(scope, b"traceparent")
        correlation_id.set(identifier)
        traceparent.set(trace if _TRACEPARENT.fullmatch(trace) else "")
        structlog.contextvars.bind_contextvars(correlation_id=identifier)
        started, status = monotonic(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    item for item in message.get("headers", []) if item[0] != b"x-correlation-id"
                ]
                message["headers"] = [
                    *headers,
                    (b"x-correlation-id", identifier.encode()),
                    (b"x-socle", _VERSION),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            LATENCY.labels(self.service).observe(monotonic() - started)
            REQUESTS.labels(self.service, scope["method"], status).inc()
