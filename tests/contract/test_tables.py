"""What the code believes of its tables is what the migrations made."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from services.catalogue import SERVICES
from socle.db.database import Database

# Of the kernel (socle/db/kernel_tables.py) and of Alembic: no service declares them.
KERNEL = {"seeded", "outbox", "inbox", "consumer_offset", "dead_letter", "migration"}
# Their tables.py leave indexes and constraints to the migrations; remove a name once they do not.
COLUMNS_ONLY = {"psc", "ins"}
MIGRATION_ONLY = {"remove_index", "remove_constraint", "remove_fk"}
WITH_TABLES = [name for name in SERVICES if find_spec(f"services.{name}.tables")]


def differences(connection: Connection, schema: str, metadata: MetaData) -> list[Any]:
    def concerns(item: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
        table = name if kind == "table" else item.table.name
        return table not in KERNEL

    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == schema,
            "include_object": concerns,
            "compare_type": True,
        },
    )
    return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("service", WITH_TABLES)
async def test_agree_with_the_migrations(database: Database, service: str) -> None:
    metadata = import_module(f"services.{service}.tables").metadata
    assert metadata.tables

    async with database.engine.connect() as connection:
        found = await connection.run_sync(differences, service, metadata)

    allowed = MIGRATION_ONLY if service in COLUMNS_ONLY else set()
    assert [change for change in found if change[0] not in allowed] == []


async def test_sees_a_difference_when_there_is_one(database: Database) -> None:
    """Or the test above would prove nothing."""
    metadata = MetaData(schema="dmp")
    tables = import_module("services.dmp.tables").metadata.tables
    for name, table in tables.items():
        if name != "dmp.body":
            table.to_metadata(metadata)

    async with database.engine.connect() as connection:
        found = await connection.run_sync(differences, "dmp", metadata)

    assert [change[0] for change in found] == ["remove_table"]
