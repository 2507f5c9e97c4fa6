"""The raw pool of the hot path."""

import asyncio

import pytest

from socle.db.database import Database

pytestmark = pytest.mark.postgres


async def test_first_calls_that_come_at_once_share_one_pool(database_url: str) -> None:
    database = Database(database_url, application="socle-test-pool")
    try:
        pools = await asyncio.gather(*(database.pool() for _ in range(5)))
        assert len(set(map(id, pools))) == 1
    finally:
        await database.close()
