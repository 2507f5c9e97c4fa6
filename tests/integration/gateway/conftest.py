"""The gateway and a service behind it, each served by uvicorn on a loopback port of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.app import build
from gateway.context import Gateway
from gateway.settings import GatewaySettings
from socle.http.server import TlsListener
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

SERVICES = ("psc", "ins", "dmp", "mss", "usage")
Answer = Callable[[Request], Awaitable[Response]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(handler: RawHandler) -> AsyncIterator[str]:
    """A server that writes what no well-behaved one would."""
    connections: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await handler(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in connections:
            writer.close()
        await server.wait_closed()


@dataclass
class Seen:
    """One request as the service saw it."""

    method: str
    target: bytes
    headers: list[tuple[str, str]]
    body_bytes: int = 0

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


@dataclass
class Service:
    """Answers 200, or what `answer` says; keeps the size of a body, never the body."""

    seen: list[Seen] = field(default_factory=list)
    answer: Answer | None = None
    reads: bool = True
    may_read: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        seen = Seen(scope["method"], target, request.headers.items())
        self.seen.append(seen)
        self.called.set()
        await self.may_read.wait()
        if self.reads and not await self._read_all(seen, receive):
            self.abandoned.set()
            return
        answer = await self.answer(request) if self.answer else Response(b"ok")
        await answer(scope, receive, send)

    async def _read_all(self, seen: Seen, receive: Receive) -> bool:
        """False when the caller has left before the end."""
        while (message := await receive())["type"] == "http.request":
            seen.body_bytes += len(message.get("body", b""))
            if not message.get("more_body"):
                return True
        return False


@dataclass
class Running:
    """The gateway under test."""

    app: FastAPI
    url: str
    http: httpx.AsyncClient

    @property
    def gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A plain connection, for what an HTTP client would not send or show."""
        return await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))


Start = Callable[..., AbstractAsyncContextManager[Running]]


class _Front:
    """What is served for the whole session; the service behind it is each test's own."""

    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.service(scope, receive, send)


@pytest.fixture(scope="session")
async def served_front() -> AsyncIterator[tuple[_Front, str]]:
    front = _Front()
    async with serving(lambda _: front, lifespan="off") as url:
        yield front, url


@pytest.fixture
def service(served_front: tuple[_Front, str]) -> Service:
    service = Service()
    service.may_read.set()
    served_front[0].service = service
    return service


@pytest.fixture
def service_url(served_front: tuple[_Front, str], service: Service) -> str:
    return served_front[1]


@pytest.fixture
def start(service_url: str, mint: TokenMint) -> Start:
    """Starts a gateway whose services are all `service`, but for those given by `<name>_url`."""

    @asynccontextmanager
    async def gateway(tls: TlsListener | None = None, **values: Any) -> AsyncIterator[Running]:
        urls = {f"{name}_url": service_url for name in SERVICES}
        values = {"gateway_connect_seconds": PATIENCE_SECONDS, **values}
        app = build(GatewaySettings(**{**urls, **values}))
        async with (
            serving(lambda _: app, tls=tls) as url,
            httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http,
        ):
            app.state.gateway.verifier.keys = mint
            yield Running(app, url, http)

    return gateway


@pytest.fixture
async def running(start: Start) -> AsyncIterator[Running]:
    async with start() as running:
        yield running


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address where nothing listens; it is held, or somebody else might."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
