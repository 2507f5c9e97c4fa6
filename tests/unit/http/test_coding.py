"""Bodies that come compressed, in any pieces; the limit is of what they hold."""

import gzip
import zlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from socle.errors import DomainError
from socle.http.middleware.coding import ContentDecoding
from socle.http.middleware.limits import BodyLimit

PIECE = 262_144


async def read(coding: str, pieces: Sequence[bytes], limit: int = 10**7) -> tuple[bytes, Scope]:
    """What the application behind is given."""
    left = list(pieces)
    seen: list[Scope] = []
    body = bytearray()

    async def receive() -> Message:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(_message: Message) -> None:
        raise AssertionError

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        seen.append(scope)
        while True:
            message = await receive()
            assert message["type"] == "http.request"
            body.extend(message["body"])
            if not message["more_body"]:
                break
        assert (await receive())["type"] == "http.disconnect"

    scope: Scope = {
        "type": "http",
        "path": "/",
        "headers": [(b"content-encoding", coding.encode()), (b"content-length", b"7")],
    }
    await ContentDecoding(BodyLimit(app, limit))(scope, receive, send)
    return bytes(body), seen[0]


class TestDecoding:
    @given(
        content=st.binary(max_size=300),
        times=st.sampled_from([0, 1, 1000]),
        at=st.lists(st.integers(0, 400), max_size=3),
        coding=st.sampled_from(["gzip", "X-GZIP", "deflate"]),
    )
    async def test_gives_what_was_compressed_however_it_is_cut(
        self, content: bytes, times: int, at: list[int], coding: str
    ) -> None:
        whole = content * times
        sent = zlib.compress(whole) if coding == "deflate" else gzip.compress(whole)
        cuts = [0, *sorted(at), len(sent)]
        pieces = [sent[a:b] for a, b in pairwise(cuts)]
        body, scope = await read(coding, pieces)
        assert body == whole
        assert scope["headers"] == []

    @pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
    async def test_ends_where_a_piece_ends(self, size: int) -> None:
        body, _ = await read("gzip", [gzip.compress(bytes(size))])
        assert body == bytes(size)

    async def test_leaves_alone_what_is_not_compressed(self) -> None:
        body, scope = await read("identity", [b"abc"])
        assert body == b"abc"
        assert (b"content-length", b"7") in scope["headers"]


class TestRefusals:
    async def test_a_bomb_ends_at_the_limit(self) -> None:
        with pytest.raises(DomainError) as caught:
            await read("gzip", [gzip.compress(bytes(50_000_000))], limit=1_000_000)
        assert caught.value.status == 413

    @pytest.mark.parametrize(
        ("coding", "sent", "status"),
        [
            ("gzip", b"no gzip", 400),
            ("gzip", b"", 400),
            ("gzip", gzip.compress(b"a" * 100, mtime=0)[:-9], 400),
            ("deflate", gzip.compress(b"a", mtime=0), 400),
            ("br", b"", 415),
            ("gzip, gzip", b"", 415),
        ],
    )
    async def test_what_cannot_be_decoded(self, coding: str, sent: bytes, status: int) -> None:
        with pytest.raises(DomainError) as caught:
            await read(coding, [sent])
        assert (caught.value.code, caught.value.status) == ("content_encoding", status)
