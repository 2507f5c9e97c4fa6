"""Sessions as FastAPI dependencies. The commit comes before the answer.

`scope="function"` is what makes it so: with the default scope FastAPI ends a dependency after
the response has left, and a client would hold a 201 for a transaction that then fails.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request

from socle.db import database as db


def _database(request: Request) -> db.Database:
    return cast(db.Database, request.app.state.kernel.database)


async def _read(request: Request) -> AsyncIterator[db.ReadSession]:
    async with _database(request).read() as session:
        yield session


async def _write(request: Request) -> AsyncIterator[db.WriteSession]:
    async with _database(request).write() as session:
        yield session


ReadSession = Annotated[db.ReadSession, Depends(_read, scope="function")]
WriteSession = Annotated[db.WriteSession, Depends(_write, scope="function")]
