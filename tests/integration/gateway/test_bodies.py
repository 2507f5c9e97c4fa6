"""Bodies pass as they come: memory does not grow with them, and no limit waits for their end."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import Running, Service, Start

MEGABYTE = 1024 * 1024


async def megabytes(count: int) -> AsyncIterator[bytes]:
    piece = bytes(MEGABYTE // 16)
    for _ in range(count * 16):
        yield piece


class TestUpload:
    @pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
    @pytest.mark.parametrize("announced", [True, False])
    async def test_arrives_whole(
        self, running: Running, service: Service, size: int, announced: bool
    ) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield bytes(size)

        content = bytes(size) if announced else pieces()
        assert (await running.http.put("/auth/x", content=content)).status_code == 200
        assert service.seen[0].body_bytes == size

    async def test_keeps_memory_bounded_when_the_service_reads_late(
        self, running: Running, service: Service
    ) -> None:
        service.may_read.clear()
        tracemalloc.start()
        try:
            sending = asyncio.create_task(running.http.post("/auth/x", content=megabytes(30)))
            await asyncio.sleep(0.5)
            service.may_read.set()
            assert (await sending).status_code == 200
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert service.seen[0].body_bytes == 30 * MEGABYTE
        assert peak < 4 * MEGABYTE

    async def test_is_refused_at_once_when_its_announced_length_is_over_the_limit(
        self, start: Start, service: Service, mint: TokenMint
    ) -> None:
        async with start(max_body_bytes=1000) as running:
            answer = await running.http.post(
                "/dmp/fhir", content=bytes(1001), headers=mint.headers("demo")
            )
        assert answer.status_code == 413
        assert answer.json()["issue"][0]["code"] == "too-long"
        assert service.seen == []

    async def test_is_refused_while_it_streams_when_it_passes_the_limit(
        self, start: Start, service: Service, mint: TokenMint
    ) -> None:
        async with start(max_body_bytes=MEGABYTE) as running:
            reader, writer = await running.connect()
            writer.write(
                b"POST /dmp/fhir HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                b"Authorization: " + mint.headers("demo")["Authorization"].encode() + b"\r\n\r\n"
            )
            for _ in range(17):  # one piece more than the limit, and the body has not ended
                writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
                await writer.drain()
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            assert head.startswith(b"HTTP/1.1 413")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await service.abandoned.wait()

    async def test_is_asked_for_when_the_client_expects_to_be(
        self, running: Running, service: Service
    ) -> None:
        reader, writer = await running.connect()
        writer.write(
            b"POST /auth/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(b"hi")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
        assert (service.seen[0].body_bytes, service.seen[0].all("expect")) == (2, [])

    async def test_ends_early_when_the_service_answers_before_reading_it(
        self, running: Running, service: Service
    ) -> None:
        """The connection that carries half a body must not serve the next request."""

        async def early(request: Request) -> Response:
            return Response(b"no", status_code=403)

        service.answer = early
        service.reads = False
        first = await running.http.post("/auth/x", content=megabytes(8))
        assert (first.status_code, first.content) == (403, b"no")
        assert (await running.http.get("/auth/y")).content == b"no"


class TestDownload:
    async def test_keeps_memory_bounded_when_the_client_reads_late(
        self, running: Running, service: Service
    ) -> None:
        async def answer(_request: Request) -> Response:
            return StreamingResponse(megabytes(30))

        service.answer = answer
        received = 0
        tracemalloc.start()
        try:
            # A plain connection: an HTTP client's own buffers would be measured too.
            reader, writer = await running.connect()
            writer.write(b"GET /auth/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            await asyncio.sleep(0.5)
            while chunk := await reader.read(MEGABYTE):
                received += len(chunk)
            writer.close()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert received > 30 * MEGABYTE
        assert peak < 4 * MEGABYTE

    async def test_shows_each_piece_when_it_comes(self, running: Running, service: Service) -> None:
        more = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            await more.wait()
            yield b"second"

        async def answer(_request: Request) -> Response:
            return StreamingResponse(pieces())

        service.answer = answer
        async with (
            running.http.stream("GET", "/auth/x") as given,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            chunks = given.aiter_raw()
            assert await anext(chunks) == b"first"
            more.set()
            assert await anext(chunks) == b"second"
