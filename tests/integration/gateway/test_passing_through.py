"""What must arrive at the other side as it left, and what must not arrive at all."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.patience import PATIENCE_SECONDS

from .conftest import Running, Service, Start, scripted

TARGETS = [
    b"/auth/a%2Fb/%7euser/%C3%A9",
    b"/auth/a/../b//c/./d",
    b"/auth/x?a=%2B+1&b=%zz&&c=a|b\"<>'",
    b"/s/acme/auth/x;v=1?next=http://h/%3F",
    b"/s/%61cme/auth/%2E%2E/x",
]


class TestTarget:
    @pytest.mark.parametrize("target", TARGETS)
    async def test_is_the_same_bytes_when_it_is_oddly_encoded(
        self, running: Running, service: Service, target: bytes
    ) -> None:
        reader, writer = await running.connect()
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: socle\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert [seen.target for seen in service.seen] == [target]


class TestRequestHeaders:
    async def test_drops_what_concerns_one_hop_only(
        self, running: Running, service: Service
    ) -> None:
        await running.http.get(
            "/auth/x",
            headers={
                "Connection": "keep-alive, X-Private",
                "Keep-Alive": "timeout=5",
                "X-Private": "1",
                "TE": "trailers",
                "Upgrade": "h2c",
                "Proxy-Authorization": "Basic eA==",
                "X-Kept": "1",
            },
        )
        names = {name for name, _ in service.seen[0].headers}
        dropped = {"keep-alive", "x-private", "te", "upgrade", "proxy-authorization", "connection"}
        assert names & dropped == set()
        assert service.seen[0].all("x-kept") == ["1"]

    async def test_says_itself_who_calls_when_the_client_pretends_to(
        self, running: Running, service: Service
    ) -> None:
        # From another address than 127.0.0.1, whose word uvicorn takes (FORWARDED_ALLOW_IPS).
        transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(
            transport=transport, base_url=running.url, timeout=PATIENCE_SECONDS
        ) as stranger:
            await stranger.get(
                "/auth/x",
                headers={
                    "X-Forwarded-For": "203.0.113.9",
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-Host": "evil.example",
                    "X-Real-IP": "203.0.113.9",
                    "Forwarded": "for=203.0.113.9",
                    "Host": "socle.example",
                },
            )
        seen = service.seen[0]
        assert seen.all("x-forwarded-for") == ["127.0.0.2"]
        assert seen.all("x-forwarded-proto") == ["http"]
        assert seen.all("x-real-ip") == []
        assert seen.all("x-forwarded-host") == ["socle.example"]
        assert seen.all("forwarded") == []

    async def test_passes_the_correlation_id_both_ways(
        self, running: Running, service: Service
    ) -> None:
        answer = await running.http.get("/auth/x", headers={"X-Correlation-Id": "case-42"})
        assert answer.headers.get_list("x-correlation-id") == ["case-42"]
        assert service.seen[0].all("x-correlation-id") == ["case-42"]

    async def test_draws_one_correlation_id_for_both_when_the_client_gives_none(
        self, running: Running, service: Service
    ) -> None:
        answer = await running.http.get("/auth/x")
        assert service.seen[0].all("x-correlation-id") == [answer.headers["x-correlation-id"]]

    async def test_adds_no_header_of_its_client_library(
        self, running: Running, service: Service
    ) -> None:
        reader, writer = await running.connect()
        writer.write(b"POST /auth/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert {name for name, _ in service.seen[0].headers} == {
            "host", "content-length", "x-correlation-id",
            "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
        }  # fmt: skip


class TestAnswer:
    async def test_keeps_every_cookie_and_no_redirect_is_followed(
        self, running: Running, service: Service
    ) -> None:
        async def answer(_request: Request) -> Response:
            response = Response(status_code=302, headers={"Location": "/auth/next"})
            response.set_cookie("a", "1")
            response.set_cookie("b", "2")
            return response

        service.answer = answer
        given = await running.http.get("/auth/x")
        assert given.status_code == 302
        assert [c.split(";")[0] for c in given.headers.get_list("set-cookie")] == ["a=1", "b=2"]
        assert len(given.headers.get_list("date")) == 1
        assert len(service.seen) == 1

    async def test_keeps_a_header_of_20_kilobytes(self, running: Running, service: Service) -> None:
        async def answer(_request: Request) -> Response:
            return Response(status_code=302, headers={"Location": "/auth?t=" + "x" * 20_000})

        service.answer = answer
        given = await running.http.get("/auth/x")
        assert (given.status_code, len(given.headers["location"])) == (302, 20_008)

    async def test_is_not_decompressed_when_it_is_compressed(
        self, running: Running, service: Service
    ) -> None:
        async def answer(_request: Request) -> Response:
            return Response(b"not really gzip", headers={"Content-Encoding": "gzip"})

        service.answer = answer
        async with running.http.stream("GET", "/auth/x") as given:
            raw = b"".join([chunk async for chunk in given.aiter_raw()])
        assert (raw, given.headers["content-encoding"]) == (b"not really gzip", "gzip")

    async def test_has_the_length_and_no_body_when_the_method_is_head(
        self, running: Running, service: Service
    ) -> None:
        async def answer(_request: Request) -> Response:
            return Response(b"12345")

        service.answer = answer
        given = await running.http.head("/auth/x")
        assert (given.headers["content-length"], given.content) == ("5", b"")
        assert (await running.http.get("/auth/x")).content == b"12345"

    @pytest.mark.parametrize("status", [204, 304, 404, 500])
    async def test_has_the_status_of_the_service(
        self, running: Running, service: Service, status: int
    ) -> None:
        async def answer(_request: Request) -> Response:
            return Response(status_code=status)

        service.answer = answer
        assert (await running.http.get("/auth/x")).status_code == status

    async def test_drops_what_concerns_one_hop_only(self, start: Start) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close, X-Private\r\n"
                b"X-Private: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 1\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            )
            await writer.drain()
            writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            given = await running.http.get("/auth/x")
            assert given.content == b"ok"
            assert given.headers["x-kept"] == "1"
            assert {"x-private", "keep-alive", "connection"} & set(given.headers) == set()
