"""IDLE (RFC 2177): news as they happen."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from services.mss.changes import news_or_timeout
from services.mss.imap.errors import Bad
from services.mss.imap.reader import Closed

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser


async def idle(connection: "Connection", parser: "Parser") -> str:
    """Until the client says DONE, or until it has been silent for the time of RFC 3501 §5.4."""
    parser.end()
    connection.write(b"+ idling\r\n")
    await connection.drain()
    line = asyncio.ensure_future(connection.read_line())
    seconds, reason = connection.patience()
    watcher = asyncio.ensure_future(_tell(connection))
    try:
        await asyncio.wait(
            {line, watcher},
            timeout=seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if watcher.done():
            watcher.result()
        if not line.done():
            raise Closed(reason)
        if line.result().upper() != b"DONE":
            raise Bad("DONE was expected")
    finally:
        for task in (line, watcher):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
    return "IDLE completed"


async def _tell(connection: "Connection") -> None:
    selected = connection.selected
    if selected is None:
        await asyncio.Event().wait()
        return
    with connection.changes.watching(selected.folder.id) as news:
        while True:
            for each in await selected.news(connection.database, expunge=True):
                connection.write(each + b"\r\n")
            await connection.drain()
            await news_or_timeout(news, 60)
