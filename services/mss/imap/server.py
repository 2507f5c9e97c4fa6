"""The IMAP listener."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.mss.changes import Changes
from services.mss.chaos import MailFaults
from services.mss.imap.connection import Connection
from services.mss.imap.reader import MAX_LINE
from services.mss.listening import Address, Sockets, sockets_of
from services.mss.settings import MssSettings
from socle.kernel import Kernel
from socle.logs import get_logger

log = get_logger("mss.imap")


@asynccontextmanager
async def imap_server(
    kernel: Kernel,
    settings: MssSettings,
    tls: ssl.SSLContext,
    changes: Changes,
    faults: MailFaults,
    address: Address,
) -> AsyncIterator[Sockets]:
    """Listens while the block runs."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        secure = writer.get_extra_info("ssl_object") is not None
        connection = Connection(kernel, settings, tls, changes, faults, reader, writer, secure)
        try:
            if len(running) > settings.mss_max_connections:
                writer.write(b"* BYE [UNAVAILABLE] too many connections\r\n")
            else:
                await connection.serve()
        except asyncio.CancelledError:
            writer.write(b"* BYE the server stops\r\n") if not connection.secure else None
        except Exception as error:  # noqa: BLE001 - a bug ends one connection, not the server
            log.critical("connection_failed", error=type(error).__name__)
        finally:
            running.discard(task)
            await _close(connection.writer)

    loop = asyncio.get_running_loop()

    def accepted() -> asyncio.StreamReaderProtocol:
        reader = asyncio.StreamReader(limit=MAX_LINE, loop=loop)
        return asyncio.StreamReaderProtocol(reader, connected, loop=loop)

    servers = await address.listen(accepted, tls)
    try:
        yield sockets_of(servers)
    finally:
        for server in servers:
            server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for server in servers:
            await server.wait_closed()


async def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError, TimeoutError):
        if not writer.is_closing():
            async with asyncio.timeout(5):
                await writer.drain()
        writer.close()
        async with asyncio.timeout(5):
            await writer.wait_closed()
