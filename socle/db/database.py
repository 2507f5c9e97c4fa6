"""The way to PostgreSQL: SQLAlchemy sessions for everything, asyncpg for the hot path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NewType

import asyncpg
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

# Two types for one class: mypy refuses a read session handed to a function that writes.
ReadSession = NewType("ReadSession", AsyncSession)
WriteSession = NewType("WriteSession", AsyncSession)


def driver_arguments(url: URL) -> dict[str, Any]:
    """asyncpg's connection arguments for an SQLAlchemy URL.

    A Unix socket folder travels in the query (`?host=/run/...`), as libpq writes it.
    """
    host = url.query.get("host", url.host)
    return {
        "host": host if isinstance(host, str) else None,
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }


async def _leave_session(_connection: object) -> None:
    """Instead of asyncpg's RESET ALL, a round trip after each statement: who uses the raw pool sets nothing
    in the session. What is left open (a transaction) asyncpg ends before it calls this."""


class Database:
    """Engine, sessions and, on demand, the raw pool of one process."""

    def __init__(self, url: str, *, application: str, pool_size: int = 5) -> None:
        self.url = make_url(url)
        self._application = application
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            # A restart of PostgreSQL must cost one ping, not one failed request.
            pool_pre_ping=True,
            # The texts of its errors would quote bound values, which may be of a patient.
            hide_parameters=True,
            connect_args={"server_settings": {"application_name": application}, "timeout": 10},
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield ReadSession(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield WriteSession(session)

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection outside any pool, for LISTEN and advisory locks."""
        return await asyncpg.connect(
            **driver_arguments(self.url),
            timeout=10,
            server_settings={"application_name": self._application},
        )

    async def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """The raw pool of the hot path, opened at the first call."""
        if self._pool is None:
            # Of first calls that come at once, one opens: a second pool would never be closed.
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._open_pool()
        return self._pool

    async def _open_pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        return await asyncpg.create_pool(
            **driver_arguments(self.url),
            min_size=1,
            max_size=self._pool_size,
            timeout=10,
            reset=_leave_session,
            server_settings={
                "application_name": f"{self._application}-hot",
                # Every hot statement looks rows up by an index. A plan made while the tables
                # were empty would read them whole, and is kept while they grow.
                "enable_seqscan": "off",
            },
        )

    async def fetch(self, statement: str, *arguments: Any) -> "list[asyncpg.Record]":
        """One statement on the raw pool, a transaction of its own."""
        pool = await self.pool()
        async with pool.acquire() as connection:
            try:
                return list(await connection.fetch(statement, *arguments))
            except asyncpg.InternalClientError:
                # Its server process was ended in the middle of something: asyncpg says so before
                # it sends anything, so the statement can be tried again elsewhere.
                connection.terminate()
        async with pool.acquire() as connection:
            return list(await connection.fetch(statement, *arguments))

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
        await self.engine.dispose()
