"""`make bench-lag`: how long a document takes from its commit in the DMP to its commit in the counters.

Events of documents go the real way at a fixed rate, whatever comes of them: outbox of the DMP, its relay,
the log, the consumer of usage, each a process of its own. Both commits are read from PostgreSQL, which
keeps their instants (`track_commit_timestamp`): nothing is polled, and one clock tells both.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import quantiles

import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from loadtests.bench import processor, progress
from loadtests.psc import wait_ready
from loadtests.single import connected, migrated
from loadtests.usage import Year
from services.usage.counting import count
from services.usage.domain.measures import Beneficiary, Documents
from services.usage.domain.period import Period
from socle.clock import monotonic, wall
from socle.db.database import Database
from socle.embedded.postgres import EmbeddedPostgres
from socle.events.envelope import Event
from socle.events.outbox import publish
from socle.idgen import random_uuid, uuid7
from socle.testing.stack import free_ports

PATIENCE = 120.0
WARM_UP = 200
EVERYTHING = Documents(count="documents", types="any", levels=frozenset(["N1", "N3"]), ins="any")
EVER = Period(wall().date().replace(year=2000, month=1, day=1), wall().date().replace(year=2100, month=1, day=1))  # fmt: skip


@dataclass(frozen=True)
class Result:
    log: str
    sent: int
    seconds: float
    lags: list[float]
    """Milliseconds, of each document."""


def documents(wanted: int) -> Iterator[Event]:
    """New ones, as the DMP tells them; their ids are drawn when they are sent."""
    new = (
        event
        for event in Year(wanted * 3)
        if event.type == "dmp.document.registered.v1"
        and event.data["chain_id"] == event.data["logical_id"]
    )
    return islice(new, wanted)


@contextmanager
def worker(service: str, name: str, url: str, log: dict[str, str]) -> Iterator[None]:
    [port] = free_ports(1)
    environment = {
        **os.environ,
        "SOCLE_DATABASE_URL": url,
        "SOCLE_WORKER_PORT": str(port),
        "SOCLE_LOG_LEVEL": "warning",
        **log,
    }
    process = subprocess.Popen([sys.executable, "-m", "socle.cli", service, name], env=environment)
    try:
        wait_ready(f"http://127.0.0.1:{port}", PATIENCE)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


async def send(database: Database, space: str, events: Iterator[Event], rate: float) -> int:
    """Each at its time, in a transaction of its own, though the last one may not have ended (open loop)."""
    started, sending = monotonic(), set[asyncio.Task[None]]()
    sent = 0
    for event in events:
        await asyncio.sleep(started + sent / rate - monotonic())
        task = asyncio.create_task(_tell(database, replace(event, space=space)))
        sending.add(task)
        task.add_done_callback(sending.discard)
        sent += 1
    await asyncio.gather(*sending)
    return sent


async def _tell(database: Database, event: Event) -> None:
    now = replace(event, id=uuid7(), time=wall())
    async with database.write() as session:
        await session.execute(text("INSERT INTO sent VALUES (:id)"), {"id": now.id})
        await publish(session, "dmp", [now])


async def counted(database: Database, space: str, sent: int) -> None:
    """Ends the bench where a document is missing or counted twice."""
    deadline, documents = monotonic() + PATIENCE, -1
    while documents < sent and monotonic() < deadline:
        await asyncio.sleep(0.2)
        async with database.read() as session:
            documents = await count(session, space, EVERYTHING, Beneficiary("space"), EVER)
    if documents != sent:
        sys.exit(f"bench-lag: {sent} documents were sent and {documents} are counted")


async def measured(url: str, rate: float, seconds: float, log: str) -> Result:
    database = Database(url, application="socle-bench", pool_size=20)
    try:
        async with database.write() as session:
            await session.execute(text("CREATE TABLE sent (event_id uuid)"))
        space = f"lag-{random_uuid().hex[:12]}"  # a broker may hold what an earlier run sent
        stream = documents(WARM_UP + int(rate * seconds))
        await counted(database, space, await send(database, space, islice(stream, WARM_UP), rate))
        async with database.write() as session:
            await session.execute(text("TRUNCATE sent"))
        started = monotonic()
        sent = await send(database, space, stream, rate)
        took = monotonic() - started
        await counted(database, space, WARM_UP + sent)
    finally:
        await database.close()
    connection = await connected(url)
    rows = await connection.fetch(
        "SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(inbox.xmin)"
        " - pg_xact_commit_timestamp(sent.xmin)) AS lag"
        " FROM sent JOIN usage.inbox USING (event_id) WHERE consumer = 'usage'"
    )
    await connection.close()
    lags = [float(row["lag"]) for row in rows]
    sys.stderr.write(f"{log}: {sent} sent in {took:.1f} s, longest lag {max(lags):.0f} ms\n")
    return Result(log, sent, took, lags)


def run(rate: float, seconds: float, kafka: str | None, consumers: int) -> Result:
    log = {"SOCLE_EVENTS": "kafka", "SOCLE_KAFKA_BOOTSTRAP": kafka} if kafka else {}
    name = f"Kafka, {consumers} consumers" if kafka else "embedded"
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home, ExitStack() as stack:
        Path(home).chmod(0o755)
        server = EmbeddedPostgres(Path(home))
        with server:
            uvloop.run(_keep_commit_times(server.url))
        stack.enter_context(server)
        uvloop.run(migrated(server.url))
        for service, worker_name in [("dmp", "relay"), *[("usage", "consume")] * consumers]:
            stack.enter_context(worker(service, worker_name, server.url, log))
        progress(f"{rate:g} documents a second, {name}")
        return uvloop.run(measured(server.url, rate, seconds, name))


async def _keep_commit_times(url: str) -> None:
    """From the next start on."""
    connection = await connected(url)
    await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await connection.close()


def report(results: list[Result]) -> None:
    table = Table(title="From the commit of a document to that of its counting")
    for column in ("log", "documents", "sent/s", "p50 ms", "p95 ms", "p99 ms", "max ms"):
        table.add_column(column, justify="right")
    for result in results:
        cuts = quantiles(result.lags, n=100, method="inclusive")
        table.add_row(
            result.log,
            f"{result.sent:,}",
            f"{result.sent / result.seconds:.0f}",
            *(f"{cuts[hundredth - 1]:.0f}" for hundredth in (50, 95, 99)),
            f"{max(result.lags):.0f}",
        )
    console = Console(width=100)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}). PostgreSQL 18 embedded, fsync on; sender,\n"
        "relay, consumer and database share the machine. Every document was counted, once."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="documents a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        help="a broker to measure too, with one consumer and with two",
    )
    arguments = parser.parse_args()
    runs: list[tuple[str | None, int]] = [(None, 1)]
    if arguments.kafka:
        runs += [(arguments.kafka, 1), (arguments.kafka, 2)]
    report([run(arguments.rate, arguments.seconds, *it) for it in runs])


if __name__ == "__main__":
    main()
