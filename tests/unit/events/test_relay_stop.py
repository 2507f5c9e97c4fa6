"""A worker that is told to stop, stops, whatever comes at the same moment."""

import asyncio
from typing import Any, cast

from socle.events.relay import Relay
from tests.patience import PATIENCE_SECONDS


class Silent:
    """A connection that has no rows, and news in the very moment of the cancellation."""

    async def fetch(self, *_arguments: Any) -> list[Any]:
        return []

    async def execute(self, *_arguments: Any) -> None: ...


async def test_relay_stops_although_news_come_with_the_cancellation() -> None:
    relay = Relay(cast(Any, None), "psc", cast(Any, None))
    silent = cast(Any, Silent())

    async def loop() -> None:
        while True:
            await relay._wait_for_news(silent)
            relay._news.clear()
            await asyncio.sleep(0)

    for _ in range(50):
        task = asyncio.create_task(loop())
        await asyncio.sleep(0.001)
        relay._news.set()  # its waiter is done, and not yet woken
        task.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
