"""The bounds on bodies: of one, and of all that a process holds."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from socle.errors import Category, DomainError
from socle.http.middleware.limits import BodyLimit

KIB = 1024


class Reader:
    """An application that reads a body to its end and holds it until it is let go."""

    def __init__(self) -> None:
        self.has_read = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.has_read.set()
        await self.may_answer.wait()


def scope(announced: int | None = None) -> Scope:
    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    return {"type": "http", "path": "/", "headers": headers}


async def send(limit: BodyLimit, pieces: Sequence[int], announced: int | None = None) -> None:
    """A request whose body comes in pieces of these sizes."""
    left = list(pieces)

    async def receive() -> Message:
        size = left.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(left)}

    async def ignore(_message: Message) -> None:
        pass

    await limit(scope(announced), receive, ignore)


async def refusal(
    limit: BodyLimit, pieces: Sequence[int], announced: int | None = None
) -> Category:
    with pytest.raises(DomainError) as caught:
        await send(limit, pieces, announced)
    return caught.value.category


@pytest.mark.parametrize(("pieces", "announced"), [([KIB, KIB, 1], None), ([1], 2 * KIB + 1)])
async def test_a_body_that_is_too_large(pieces: list[int], announced: int | None) -> None:
    limit = BodyLimit(Reader(), 2 * KIB)
    assert await refusal(limit, pieces, announced) is Category.TOO_LARGE


async def test_bodies_that_are_too_much_together_until_one_is_answered() -> None:
    app = Reader()
    limit = BodyLimit(app, 4 * KIB, total=5 * KIB)
    first = asyncio.create_task(send(limit, [3 * KIB]))
    await app.has_read.wait()
    assert await refusal(limit, [KIB, KIB, KIB]) is Category.BUSY
    assert limit.held == 3 * KIB
    app.may_answer.set()
    await first
    await send(limit, [KIB, KIB, KIB])
    assert limit.held == 0


async def test_the_only_body_passes_whatever_the_total_is() -> None:
    app = Reader()
    app.may_answer.set()
    limit = BodyLimit(app, 4 * KIB, total=1)
    await send(limit, [KIB, KIB])
    assert limit.held == 0


async def test_a_body_whose_reading_fails_is_held_no_longer() -> None:
    async def fail(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        raise RuntimeError("as a fault of the service would")

    limit = BodyLimit(fail, 4 * KIB, total=4 * KIB)
    with pytest.raises(RuntimeError):
        await send(limit, [KIB])
    assert limit.held == 0


async def test_bodies_that_pass_through_are_not_bounded_together() -> None:
    app = Reader()
    limit = BodyLimit(app, 4 * KIB)
    first = asyncio.create_task(send(limit, [4 * KIB]))
    await app.has_read.wait()
    app.may_answer.set()
    await send(limit, [4 * KIB])
    await first
