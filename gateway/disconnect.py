"""Work for a caller who has left is work for nobody: it is cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.body import ClientBody, ClientGoneError


@asynccontextmanager
async def cancelled_when_client_leaves(client: ClientBody) -> AsyncIterator[None]:
    """Cancels the block, and raises ClientGoneError, when the caller closes its connection.

    The same way as asyncio.timeout: a cancellation of our own is told from one of the server's.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        await client.client_gone()
        gone = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if gone and task.uncancel() == 0:
            raise ClientGoneError from None
        raise
    finally:
        watcher.cancel()
