"""Brings every schema up to date: the kernel's first, then each service's."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from socle.db.database import Database
from socle.db.migrations import KERNEL, Migrations

if TYPE_CHECKING:
    from alembic.config import Config

ALEMBIC = Path(__file__).parent / "alembic"

# Two processes that migrate at once would both create the first schema: one waits here.
_LOCK = 0x50C1E
_VERSION_TABLE = "migration"


def alembic_config(migrations: Migrations, connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ALEMBIC))
    config.set_main_option("version_locations", str(migrations.versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["schema"] = migrations.schema
    config.attributes["version_table"] = _VERSION_TABLE
    return config


def _upgrade(connection: Connection, migrations: Migrations) -> None:
    from alembic import command  # only here: most starts have nothing to migrate

    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{migrations.schema}"'))
    command.upgrade(alembic_config(migrations, connection), "head")


async def migrate(database: Database, services: Iterable[Migrations]) -> None:
    """All in one transaction each: a migration that fails leaves its schema as it was."""
    wanted = (KERNEL, *services)
    async with database.engine.connect() as lock:
        await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        if not await _is_up_to_date(lock, wanted):
            for migrations in wanted:
                async with database.engine.begin() as connection:
                    await connection.run_sync(_upgrade, migrations)
        await lock.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})


async def _is_up_to_date(connection: AsyncConnection, wanted: Sequence[Migrations]) -> bool:
    """By what is recorded; whoever finds anything else leaves it to Alembic to go on or to refuse."""
    tables = await connection.execute(
        text("SELECT schemaname FROM pg_tables WHERE tablename = :table"),
        {"table": _VERSION_TABLE},
    )
    if not {one.schema for one in wanted} <= set(tables.scalars()):
        return False
    recorded = await connection.execute(
        text(
            " UNION ALL ".join(
                f'SELECT version_num FROM "{one.schema}".{_VERSION_TABLE}' for one in wanted
            )
        )
    )
    return sorted(recorded.scalars()) == sorted(one.head for one in wanted)


__all__ = ["ALEMBIC", "KERNEL", "Migrations", "alembic_config", "migrate"]
