"""Databases that tests make for themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.catalogue import all_migrations
from socle.db.database import Database, driver_arguments
from socle.db.migrate import migrate
from socle.idgen import random_uuid


@asynccontextmanager
async def new_database(server_url: str) -> AsyncIterator[str]:
    """The URL of a migrated one, which is dropped at the end."""
    name = f"test_{random_uuid().hex}"
    server = Database(server_url, application="socle-test")
    admin = await asyncpg.connect(**driver_arguments(server.url))
    await admin.execute(f'CREATE DATABASE "{name}"')
    url = server.url.set(database=name).render_as_string(hide_password=False)
    database = Database(url, application="socle-test")
    await migrate(database, all_migrations())
    await database.close()
    yield url
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
    await server.close()
