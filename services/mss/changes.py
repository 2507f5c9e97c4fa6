"""Who waits for news of a folder: IDLE and long polls, woken by NOTIFY from any process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from services.mss.repository import CHANNEL
from socle.db.database import Database
from socle.logs import get_logger

CHECK_SECONDS = 5.0
"""A waiter looks by itself this often, should a notification be lost with its connection."""
log = get_logger("mss.changes")


@dataclass
class Changes:
    database: Database
    _waiting: dict[int, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))

    @contextmanager
    def watching(self, folder: int) -> Iterator[asyncio.Event]:
        """Subscribed before the caller looks, so that nothing falls between look and wait."""
        news = asyncio.Event()
        self._waiting[folder].add(news)
        try:
            yield news
        finally:
            self._waiting[folder].discard(news)
            if not self._waiting[folder]:
                del self._waiting[folder]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._listen(), name="mss.changes")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_on_one_connection()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("changes_reconnect", error=repr(error))
            await asyncio.sleep(1)

    async def _listen_on_one_connection(self) -> None:
        connection = await self.database.connect()
        try:
            await connection.add_listener(CHANNEL, self._on_notification)
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await connection.execute("SELECT 1")  # notices a connection that has gone silently
        finally:
            connection.terminate()

    def _on_notification(self, *arguments: object) -> None:
        folder = int(str(arguments[-1]))
        for news in self._waiting.get(folder, ()):
            news.set()


async def news_or_timeout(news: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(news.wait(), min(seconds, CHECK_SECONDS))
    news.clear()
