"""Migrations at the start of a process: made, left alone, or refused."""

from collections.abc import AsyncIterator

import pytest
from alembic.util import CommandError
from sqlalchemy import event, text

from services.catalogue import all_migrations
from socle.db.database import Database
from socle.db.migrate import migrate
from tests.databases import new_database

pytestmark = pytest.mark.postgres


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    """Migrated, and nobody else's."""
    async with new_database(database_url) as url:
        database = Database(url, application="socle-test")
        try:
            yield database
        finally:
            await database.close()


async def record(database: Database, schema: str, revision: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(
            text(f"UPDATE {schema}.migration SET version_num = :revision"), {"revision": revision}
        )


async def test_asks_twice_and_changes_nothing_when_all_is_up_to_date(own: Database) -> None:
    statements: list[str] = []
    event.listen(
        own.engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: statements.append(statement),
    )
    await migrate(own, all_migrations())

    asked = [one for one in statements if "advisory" not in one]
    assert len(asked) == 2
    assert all(one.startswith("SELECT") for one in asked)


async def test_makes_what_is_missing_when_one_schema_is_gone(own: Database) -> None:
    async with own.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA ins CASCADE"))
    await migrate(own, all_migrations())

    async with own.engine.connect() as connection:
        found = await connection.execute(text("SELECT to_regclass('ins.outbox') IS NOT NULL"))
        assert found.scalar_one() is True


async def test_refuses_a_database_that_a_newer_socle_has_migrated(own: Database) -> None:
    await record(own, "ins", "ins_9999")
    with pytest.raises(CommandError, match="ins_9999"):
        await migrate(own, all_migrations())
