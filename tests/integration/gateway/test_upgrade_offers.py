"""A client that offers h2c, as Java's does, is answered in HTTP/1.1 and loses no body."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from socle.testing.serving import serving
from tests.patience import PATIENCE_SECONDS

OFFER = (
    b"Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"
)
CHUNKED = (
    b"POST /a HTTP/1.1\r\n"
    + OFFER
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)
SIZED = b"POST /b HTTP/1.1\r\n" + OFFER + b"Content-Length: 5\r\n\r\n12345"
BARE = b"GET /c HTTP/1.1\r\n" + OFFER + b"\r\n"
EMPTY = b"POST /d HTTP/1.1\r\n" + OFFER + b"Content-Length: 0\r\n\r\n"
PLAIN = b"POST /e HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    body = (await request.body()).decode()
    await PlainTextResponse(f"{scope['path']}={body}!")(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(lambda _: echo, lifespan="off") as url:
        yield int(url.rpartition(":")[2])


def whole(sent: bytes) -> list[bytes]:
    return [sent]


def bytewise(sent: bytes) -> list[bytes]:
    return [sent[at : at + 1] for at in range(len(sent))]


@pytest.mark.parametrize("cut", [whole, bytewise])
@pytest.mark.parametrize(
    ("requests", "answers"),
    [
        ([CHUNKED], ["/a=abcde!"]),
        ([SIZED], ["/b=12345!"]),
        ([BARE], ["/c=!"]),
        ([EMPTY], ["/d=!"]),
        ([CHUNKED, SIZED, BARE, EMPTY, PLAIN, CHUNKED],
         ["/a=abcde!", "/b=12345!", "/c=!", "/d=!", "/e=ok!", "/a=abcde!"]),
    ],
)  # fmt: skip
async def test_reads_each_request_whole(
    port: int, cut: Callable[[bytes], list[bytes]], requests: list[bytes], answers: list[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in cut(b"".join(requests)):
        writer.write(piece)
        await writer.drain()
    received = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while received.count(b"!") < len(answers):
            received += await reader.read(65536)
    writer.close()
    found = [line.partition(b"HTTP")[0].decode() for line in received.split(b"\r\n\r\n")[1:]]
    assert found == answers
    assert received.count(b"200 OK") == len(answers)


async def test_refuses_what_is_no_http_behind_an_offer(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CHUNKED.replace(b"3\r\nabc", b"zz\r\nabc"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert b"400 Bad Request" in await reader.read(65536)
    writer.close()
