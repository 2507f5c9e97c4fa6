import asyncio

import pytest
from starlette.types import Message

from gateway.body import ClientBody, ClientGoneError
from tests.patience import PATIENCE_SECONDS


def client_of(*messages: Message, headers: tuple[tuple[bytes, bytes], ...] = ()) -> ClientBody:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return ClientBody(
        {"headers": headers or ((b"content-length", b"1"),)}, receive, patience=PATIENCE_SECONDS
    )


def piece(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def taken(client: ClientBody) -> list[bytes]:
    pieces = client.pieces()
    assert pieces is not None
    return [part async for part in pieces]


class TestPieces:
    @pytest.mark.parametrize("headers", [((b"x", b"1"),), ((b"content-length", b"0"),)])
    def test_are_none_when_no_body_is_announced(
        self, headers: tuple[tuple[bytes, bytes], ...]
    ) -> None:
        assert client_of(headers=headers).pieces() is None

    async def test_come_as_they_were_sent(self) -> None:
        client = client_of(piece(b"ab"), piece(b"c", more=False))
        assert await taken(client) == [b"ab", b"c"]
        assert client.failure is None

    async def test_keep_the_cause_when_the_client_leaves_inside_its_body(self) -> None:
        client = client_of(piece(b"ab"))
        with pytest.raises(ClientGoneError):
            await taken(client)
        assert isinstance(client.failure, ClientGoneError)


class TestClientGone:
    async def test_returns_when_the_client_leaves_after_its_body(self) -> None:
        client = client_of(piece(b"ab", more=False))
        await taken(client)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.client_gone()

    async def test_does_not_take_messages_while_the_body_is_read(self) -> None:
        client = client_of(piece(b"ab", more=False))
        watching = asyncio.create_task(client.client_gone())
        await asyncio.sleep(0)
        assert await taken(client) == [b"ab"]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await watching
