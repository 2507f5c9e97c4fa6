"""Brings every schema up to date: the kernel's first, then each service's."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from socle.db.database import Database

# Two processes that migrate at once would both create the first schema: one waits here.
_LOCK = 0x50C1E


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one schema, in the folder `versions`."""

    schema: str
    versions: Path


KERNEL = Migrations("socle", Path(__file__).parent / "alembic" / "versions")


def alembic_config(migrations: Migrations, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(migrations.versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["schema"] = migrations.schema
    return config


def _upgrade(connection: Connection, migrations: Migrations) -> None:
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{migrations.schema}"'))
    command.upgrade(alembic_config(migrations, connection), "head")


async def migrate(database: Database, services: Iterable[Migrations]) -> None:
    """All in one transaction each: a migration that fails leaves its schema as it was."""
    async with database.engine.connect() as lock:
        await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        for migrations in (KERNEL, *services):
            async with database.engine.begin() as connection:
                await connection.run_sync(_upgrade, migrations)
        await lock.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})


__all__ = ["KERNEL", "Migrations", "alembic_config", "migrate"]
