"""Services that are away, die or hang, and clients that leave."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from socle.clock import monotonic
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import Running, Service, Start, scripted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class TestServiceAway:
    @pytest.mark.parametrize(
        ("path", "media_type"),
        [
            ("/dmp/fhir/metadata", "application/fhir+json"),
            ("/si-dmp-server/v2/services/registry", "application/soap+xml"),
            ("/lps", "application/soap+xml"),
            ("/auth/realms/esante-wallet", "application/json"),
            ("/_sandbox/clock", "application/json"),
        ],
    )
    async def test_answers_503_in_the_form_of_the_path(
        self, start: Start, closed_port: str, path: str, media_type: str
    ) -> None:
        urls = {f"{name}_url": closed_port for name in ("psc", "ins", "dmp", "usage")}
        async with start(**urls) as running:
            answer = await running.http.post(path, content=b"x")
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["retry-after"] == "2"

    async def test_names_the_service(self, start: Start, closed_port: str, mint: TokenMint) -> None:
        async with start(mss_url=closed_port) as running:
            answer = await running.http.get("/mss/mailboxes", headers=mint.headers("demo"))
            others = await running.http.get("/usage/x", headers=mint.headers("demo"))
        assert "service mss" in answer.json()["detail"]
        assert others.status_code == 200


class TestServiceDies:
    async def test_answers_502_when_it_dies_before_the_answer(self, start: Start) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            answer = await running.http.post("/auth/x", content=b"x")
        assert (answer.status_code, "service psc" in answer.text) == (502, True)

    @pytest.mark.parametrize(
        "part",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ],
    )
    async def test_cuts_the_answer_when_it_dies_inside_it(self, start: Start, part: bytes) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            with pytest.raises(httpx.RemoteProtocolError):
                await running.http.get("/auth/x")

    async def test_answers_502_when_it_does_not_speak_http(self, start: Start) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"220 smtp.example ESMTP\r\n\r\n")
            await writer.drain()
            writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            assert (await running.http.get("/auth/x")).status_code == 502

    async def test_answers_504_when_it_says_nothing(self, start: Start, service: Service) -> None:
        async def answer(_request: Request) -> Response:
            await asyncio.sleep(3)
            return Response()

        service.answer = answer
        async with start(gateway_silence_seconds=0.2) as running:
            answer_given = await running.http.get("/auth/x")
        assert answer_given.status_code == 504

    async def test_is_waited_for_while_it_counts_a_file(
        self, start: Start, service: Service, mint: TokenMint
    ) -> None:
        async def answer(_request: Request) -> Response:
            await asyncio.sleep(1)
            return Response(status_code=201)

        service.answer = answer
        async with start(gateway_silence_seconds=0.2) as running:
            counted = await running.http.post(
                "/usage/activity", content=b"x", headers=mint.headers("demo")
            )
        assert counted.status_code == 201


class TestKeepAliveRace:
    """The service closes an idle connection at the moment at which the gateway uses it again."""

    async def _second_request(self, start: Start, method: str) -> tuple[httpx.Response, int]:
        requests = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            first = requests == 1
            writer.write(OK)
            await writer.drain()
            if first:
                await reader.readuntil(b"\r\n\r\n")  # the second request is read, never answered
                requests += 1
                writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            assert (await running.http.get("/auth/x")).status_code == 200
            body = b"x" if method == "POST" else None
            return await running.http.request(method, "/auth/x", content=body), requests

    async def test_is_asked_once_more_when_nothing_can_be_done_twice(self, start: Start) -> None:
        answer, requests = await self._second_request(start, "GET")
        assert (answer.status_code, answer.content, requests) == (200, b"ok", 3)

    async def test_is_not_asked_again_when_it_may_have_acted(self, start: Start) -> None:
        answer, requests = await self._second_request(start, "POST")
        assert (answer.status_code, requests) == (502, 2)

    async def test_is_not_asked_again_when_a_part_of_its_body_has_gone(self, start: Start) -> None:
        """A second try could only send the rest of the body."""
        requests = 0

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                requests += 1
                if head.startswith(b"PUT"):
                    await reader.readexactly(70_000)
                    break
                writer.write(OK)
            writer.close()

        async with scripted(handler) as url, start(psc_url=url) as running:
            assert (await running.http.get("/auth/x")).status_code == 200
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await running.http.put("/auth/x", content=bytes(300_000))
        assert (answer.status_code, requests) == (502, 2)


class TestClientLeaves:
    async def test_cancels_the_call_when_the_service_works(
        self, running: Running, service: Service
    ) -> None:
        left = asyncio.Event()

        async def answer(request: Request) -> Response:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            left.set()
            return Response()

        service.answer = answer
        _, writer = await running.connect()
        writer.write(b"GET /auth/x HTTP/1.1\r\nHost: h\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await service.called.wait()
            writer.close()
            await left.wait()
        service.answer = None
        entry = (await running.http.get("/_sandbox/journal")).json()["entries"][0]
        assert (entry["path"], entry["status"]) == ("/auth/x", 499)
        assert 'service="gateway",status="499"' in (await running.http.get("/metrics")).text

    async def test_cancels_the_call_when_half_a_body_was_sent(
        self, running: Running, service: Service
    ) -> None:
        _, writer = await running.connect()
        writer.write(b"POST /auth/x HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n")
        writer.write(bytes(200_000))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await service.called.wait()
            writer.close()
            await service.abandoned.wait()


class TestClientStalls:
    @pytest.mark.parametrize("sent", [10, 200_000])
    async def test_answers_408_when_the_rest_of_its_body_does_not_come(
        self, start: Start, service: Service, sent: int
    ) -> None:
        async with start(gateway_silence_seconds=0.2) as running:
            reader, writer = await running.connect()
            writer.write(b"POST /auth/x HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n")
            writer.write(bytes(sent))
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 408")
            writer.close()
        assert [seen.body_bytes < 500_000 for seen in service.seen] == [True]

    async def test_is_served_when_it_is_only_slow(self, start: Start, service: Service) -> None:
        """Each piece comes in time, though the whole body takes longer than the service may."""
        silence = 1.0
        async with start(gateway_silence_seconds=silence) as running:
            for _ in range(20):
                answer, sent, longest = await self._sent_slowly(running, silence * 1.2)
                if longest < silence / 2:
                    break
                # Where this machine has stood still, the client was a stalled one: it tries again.
        assert longest < silence / 2, "the machine never ran for a second"
        assert answer.status_code == 200
        assert service.seen[-1].body_bytes == sent

    async def _sent_slowly(
        self, running: Running, seconds: float
    ) -> tuple[httpx.Response, int, float]:
        """The answer, how many pieces were sent, and the longest time between two of them, or between
        the last and the answer."""
        moments: list[float] = []

        async def slowly() -> AsyncIterator[bytes]:
            while not moments or moments[-1] - moments[0] < seconds:
                moments.append(monotonic())
                yield b"x"
                await asyncio.sleep(0.05)

        answer = await running.http.post("/auth/x", content=slowly())
        sent = len(moments)
        moments.append(monotonic())
        return answer, sent, max(later - earlier for earlier, later in pairwise(moments))


class TestOverload:
    async def test_answers_503_at_once_when_the_cap_is_reached(
        self, start: Start, service: Service
    ) -> None:
        service.may_read.clear()
        async with start(max_in_flight=1) as running:
            first = asyncio.create_task(running.http.get("/auth/x"))
            await service.called.wait()
            refused = await running.http.get("/dmp/fhir/metadata")
            alive = await running.http.get("/livez")
            service.may_read.set()
            assert (await first).status_code == 200
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["issue"][0]["code"] == "throttled"
        assert alive.status_code == 200
