import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from gateway.body import WHOLE_BYTES, ClientBody, ClientGoneError


def client_of(*messages: Message, headers: tuple[tuple[bytes, bytes], ...] = ()) -> ClientBody:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return ClientBody({"headers": headers or ((b"content-length", b"1"),)}, receive)


def piece(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class TestOpen:
    @pytest.mark.parametrize("headers", [((b"x", b"1"),), ((b"content-length", b"0"),)])
    async def test_gives_none_when_no_body_is_announced(
        self, headers: tuple[tuple[bytes, bytes], ...]
    ) -> None:
        assert await client_of(headers=headers).open() is None

    async def test_gives_bytes_when_the_body_is_small(self) -> None:
        assert await client_of(piece(b"ab"), piece(b"c", more=False)).open() == b"abc"

    async def test_gives_an_iterator_when_the_body_is_large(self) -> None:
        client = client_of(piece(bytes(WHOLE_BYTES)), piece(b"end", more=False))
        body = await client.open()
        assert isinstance(body, AsyncIterator)
        assert [len(part) async for part in body] == [WHOLE_BYTES, 3]

    async def test_raises_when_the_client_leaves_inside_a_small_body(self) -> None:
        with pytest.raises(ClientGoneError):
            await client_of(piece(b"ab")).open()

    async def test_keeps_the_cause_when_the_client_leaves_inside_a_large_body(self) -> None:
        client = client_of(piece(bytes(WHOLE_BYTES)))
        body = await client.open()
        assert isinstance(body, AsyncIterator)
        with pytest.raises(ClientGoneError):
            [part async for part in body]
        assert isinstance(client.failure, ClientGoneError)


class TestClientGone:
    async def test_returns_when_the_client_leaves_after_its_body(self) -> None:
        client = client_of(piece(b"ab", more=False))
        await client.open()
        async with asyncio.timeout(1):
            await client.client_gone()

    async def test_does_not_take_messages_while_the_body_is_read(self) -> None:
        client = client_of(piece(b"ab", more=False))
        watching = asyncio.create_task(client.client_gone())
        await asyncio.sleep(0)
        assert await client.open() == b"ab"
        async with asyncio.timeout(1):
            await watching
