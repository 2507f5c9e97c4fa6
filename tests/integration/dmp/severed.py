"""A way to PostgreSQL that a test can cut and mend: a relay of bytes on a port of its own."""

import asyncio

from sqlalchemy import make_url

from socle.db.database import driver_arguments
from socle.testing.stack import free_ports


class Line:
    def __init__(self, database_url: str) -> None:
        self._target = driver_arguments(make_url(database_url))
        self._port = free_ports(1)[0]
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.url = (
            make_url(database_url)
            .set(host="127.0.0.1", port=self._port)
            .difference_update_query(["host"])
            .render_as_string(hide_password=False)
        )

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Every connection is lost, and a new one is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target["host"], self._target["port"]
        if host and host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, port)
        self._open |= {writer, there[1]}
        for pump in (_pump(reader, there[1]), _pump(there[0], writer)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
