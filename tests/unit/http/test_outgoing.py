"""Calls between services go where they are sent, whatever the environment says of the world outside."""

import asyncio

import pytest

from socle.http.outgoing import inner_client


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


async def test_inner_calls_use_no_proxy_and_follow_no_redirect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = "http://127.0.0.1:1"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, inner_client(f"http://127.0.0.1:{port}", timeout=30) as client:
        answer = await client.get("/here")
    assert (answer.status_code, answer.history) == (302, [])
