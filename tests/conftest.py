"""Real parts for every test: PostgreSQL from the wheel, or the server that the environment names."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.catalogue import all_migrations
from socle.db.database import Database, driver_arguments
from socle.db.migrate import migrate
from socle.embedded.postgres import EmbeddedPostgres
from socle.idgen import random_uuid
from socle.settings import Settings
from socle.testing.tokens import TokenMint


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """An SQLAlchemy URL to a server on which databases may be made."""
    given = os.environ.get("SOCLE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="socle-test-") as home:
        Path(home).chmod(0o755)  # the server may have to run as another user than root
        with EmbeddedPostgres(Path(home)) as server:
            yield server.url


@pytest.fixture(scope="session")
async def database_url(postgres_server: str) -> AsyncIterator[str]:
    """A database of this session's own, migrated."""
    name = f"test_{random_uuid().hex}"
    server = Database(postgres_server, application="socle-test")
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


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, application="socle-test")
    yield database
    await database.close()


@pytest.fixture
def settings_values(database_url: str) -> dict[str, str]:
    """Values for any service's settings class."""
    return {"database_url": database_url, "pseudonym_key": "test-pseudonym-key"}


@pytest.fixture
def settings(settings_values: dict[str, str]) -> Settings:
    return Settings(**settings_values)


@pytest.fixture(scope="session")
def mint() -> TokenMint:
    return TokenMint()


@pytest.fixture
def space() -> str:
    """A space that no other test uses: tests need no clean-up and can run together."""
    return f"t-{random_uuid().hex[:20]}"
