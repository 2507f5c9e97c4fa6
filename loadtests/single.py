"""One process of one service, held on one CPU and reached at its own port, beside a database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from loadtests.psc import wait_ready
from services.catalogue import all_migrations
from socle.db.database import Database, driver_arguments
from socle.db.migrate import migrate
from socle.testing.stack import free_ports

PSEUDONYM_KEY = "bench"


@contextmanager
def service_process(
    service: str, database_url: str, pinned: bool = True, /, **extra: str
) -> Iterator[str]:
    """Its URL. Where it is `pinned`, the client moves to the other CPUs, if there are any."""
    [port] = free_ports(1)
    environment = {
        **os.environ,
        f"SOCLE_{service.upper()}_PORT": str(port),
        "SOCLE_DATABASE_URL": database_url,
        "SOCLE_PSEUDONYM_KEY": PSEUDONYM_KEY,
        "SOCLE_LOG_LEVEL": "warning",
        **extra,
    }
    cpus = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen([sys.executable, "-m", "socle.cli", service], env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_ready(url)
        if pinned and len(cpus) > 1:
            os.sched_setaffinity(process.pid, cpus[:1])
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cpus[:1])
            os.sched_setaffinity(0, cpus[1:])
        yield url
    finally:
        os.sched_setaffinity(0, cpus)
        process.terminate()
        process.wait(timeout=20)


async def migrated(url: str) -> None:
    database = Database(url, application="socle-bench")
    try:
        await migrate(database, all_migrations())
    finally:
        await database.close()


async def analyzed(url: str, *tables: str) -> None:
    """What autovacuum does within a minute; a measurement does not wait for it."""
    connection = await connected(url)
    for table in tables:
        await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()


async def connected(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    database = Database(url, application="socle-bench")
    arguments = driver_arguments(database.url)
    await database.close()
    return await asyncpg.connect(**arguments)
