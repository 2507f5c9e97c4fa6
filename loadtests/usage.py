"""`make bench-usage`: counts a whole event log into empty tables, as `socle usage recount` does.

The log is the embedded one. Its events are what a region tells in a year: documents of two hundred
structures, of which some are replaced or deleted, the acts that they are of, sessions and messages.
The log is counted twice: with the counting process on one CPU and PostgreSQL on all, and with both of them
on that one. CPU time is told beside the clock's, for machines that have something else to do. The figures
are checked against what was written.
"""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import uvloop
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from loadtests.processes import Processes
from loadtests.single import analyzed, connected, migrated
from services.usage.counting import count
from services.usage.domain.measures import Acts, Beneficiary, Documents
from services.usage.domain.period import Period
from services.usage.recount import Recount
from services.usage.tables import COUNTED
from socle.clock import monotonic
from socle.db.database import Database
from socle.embedded.postgres import EmbeddedPostgres
from socle.events.embedded_log import EmbeddedLog
from socle.events.envelope import Event
from socle.events.log import Record
from socle.events.topics import topic_of

SPACE = "bench"
SEED = 7
STRUCTURES = [f"1B{number:07d}" for number in range(200)]
DOCTORS = [f"8101{number:08d}" for number in range(2000)]
TYPES = ["11502-2", "11502-2", "11502-2", "34112-3", "60591-5", "18748-4", "11490-0"]
START = datetime(2022, 1, 2, tzinfo=UTC)
YEAR = Period(date(2022, 1, 1), date(2023, 1, 1))
PER_APPEND = 5000
QUESTIONS = 200


@dataclass
class Written:
    """What the log holds, hence what must be counted."""

    events: int = 0
    live_documents: int = 0
    acts: int = 0


@dataclass(frozen=True)
class Run:
    """One count of the log."""

    where: str
    seconds: float
    python: float
    """CPU seconds of the counting process."""
    postgres: float
    """CPU seconds of PostgreSQL, all its processes."""


@dataclass(frozen=True)
class Result:
    written: Written
    filled: float
    runs: list[Run]
    buckets: int
    size: str
    question_ms: float


class Year:
    """Events in the order in which they happen; the same seed tells the same year."""

    def __init__(self, wanted: int) -> None:
        self.written = Written()
        self._wanted = wanted
        self._draw = random.Random(SEED)
        self._chains: list[tuple[str, datetime]] = []

    def __iter__(self) -> Iterator[Event]:
        draw = self._draw
        while self.written.events < self._wanted:
            at = START + timedelta(seconds=self.written.events / self._wanted * 362 * 86_400)
            kind = draw.random()
            if kind < 0.03 and self._chains:
                yield self._deleted(at)
            elif kind < 0.6:
                yield self._registered(at, replaces=kind < 0.06 and bool(self._chains))
            elif kind < 0.9:
                yield self._declared(at)
            elif kind < 0.95:
                yield self._event("psc.session.opened.v1", at, {
                    "session": self._uuid(), "rpps": draw.choice(DOCTORS)[1:], "client_id": "x",
                    "auth_mode": "MOBILE", "acr": "eidas1",
                })  # fmt: skip
            else:
                yield self._event("mss.message.accepted.v1", at, {
                    "message": self._uuid(), "direction": "professional-to-professional",
                    "sender_kind": "ORG", "recipient_kinds": {"PER": 1}, "size": 12_000,
                    "cda_codes": ["11502-2"], "ins": "O", "nil": None,
                })  # fmt: skip

    def _registered(self, at: datetime, *, replaces: bool) -> Event:
        draw, logical = self._draw, self._uuid()
        chain, created = (
            draw.choice(self._chains) if replaces else (logical, at - timedelta(hours=2))
        )
        if not replaces:
            self._chains.append((chain, created))
            self.written.live_documents += 1
        return self._event("dmp.document.registered.v1", at, {
            "logical_id": logical, "entry_id": logical, "chain_id": chain,
            "unique_id": f"2.25.{UUID(logical).int}", "version": 1, "type_code": draw.choice(TYPES),
            "class_code": "10", "format_code": "urn:ihe:lab:xd-lab:2008", "level": "N3",
            "confidentiality": ["N"], "mime": "text/xml", "size": 12_000, "sha256": "0" * 64,
            "patient": f"{draw.getrandbits(128):032x}",
            "ins": {"oid": "1.2.250.1.213.1.4.10", "qualified": True, "status": "QUAL"},
            "author": {
                "structure": {"kind": "finess", "number": draw.choice(STRUCTURES)},
                "professional": draw.choice(DOCTORS),
            },
            "acts": [], "created_at": created.isoformat(), "registered_at": at.isoformat(),
        })  # fmt: skip

    def _deleted(self, at: datetime) -> Event:
        place = self._draw.randrange(len(self._chains))
        self._chains[place], self._chains[-1] = self._chains[-1], self._chains[place]
        chain, _ = self._chains.pop()
        self.written.live_documents -= 1
        return self._event("dmp.document.deleted.v1", at, {
            "entry_id": chain, "logical_id": chain, "chain_id": chain, "patient": "0" * 32,
            "changed_at": at.isoformat(),
        })  # fmt: skip

    def _declared(self, at: datetime) -> Event:
        self.written.acts += 1
        return self._event("usage.activity.declared.v1", at, {
            "kind": "report.validated", "structure": self._draw.choice(STRUCTURES),
            "professional": None, "act_id": f"LAB-{self.written.acts}", "domain": "biology",
            "patient": None, "act_at": at.isoformat(), "flags": [], "documents": [], "messages": [],
        })  # fmt: skip

    def _event(self, type_: str, at: datetime, data: dict[str, Any]) -> Event:
        self.written.events += 1
        return Event(type_, "/bench", "x", SPACE, at, data, UUID(self._uuid()))

    def _uuid(self) -> str:
        """Ascending as those of real events, which are of version 7."""
        value = self.written.events << 80 | self._draw.getrandbits(76)
        return str(UUID(int=value))


async def fill(database: Database, wanted: int) -> tuple[Written, float]:
    log, started = EmbeddedLog(database), monotonic()
    year, records = Year(wanted), list[Record]()
    for event in year:
        records.append(Record(topic_of(event.type), event.subject, event.value))
        if len(records) == PER_APPEND:
            await log.append(records)
            records = []
            sys.stderr.write(f"\r{year.written.events:,} of {wanted:,} events written ")
    if records:
        await log.append(records)
    sys.stderr.write("\n")
    return year.written, monotonic() - started


class Pace:
    """Shows how far a count is, and how fast each million of events was."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._started = self._since = monotonic()
        self._millions = 0

    def __call__(self, doing: str, events: int) -> None:
        now = monotonic()
        rate = events / (now - self._started)
        sys.stderr.write(f"\r{doing:8} {events:,} of {self._wanted:,} events, {rate:,.0f}/s ")
        if events >= (self._millions + 1) * 1_000_000:
            self._millions += 1
            sys.stderr.write(f"\nmillion {self._millions}: {now - self._since:.1f} s\n")
            self._since = now


async def counted(database: Database, written: Written, where: str, server: Processes) -> Run:
    """Ends the bench when the figures are not what was written."""
    started, python, postgres = monotonic(), os.times(), server.cpu_seconds()
    outcome = await Recount(database, EmbeddedLog(database), Pace(written.events)).run()
    seconds, used = monotonic() - started, os.times()
    sys.stderr.write("\n")
    everything = Documents(
        count="documents", types="any", levels=frozenset(["N1", "N3"]), ins="any"
    )
    async with database.read() as session:
        whom = Beneficiary("space")
        documents = await count(session, SPACE, everything, whom, YEAR)
        acts = await count(
            session, SPACE, Acts(count="acts", activity="report.validated"), whom, YEAR
        )
    found = (outcome.events, outcome.unreadable, documents, acts)
    expected = (written.events, 0, written.live_documents, written.acts)
    if found != expected:
        sys.exit(f"bench-usage: events, unreadable, documents, acts are {found}, not {expected}")
    mine = used.user + used.system - python.user - python.system
    return Run(where, seconds, mine, server.cpu_seconds() - postgres)


async def asked(database: Database) -> float:
    """Median milliseconds for a structure's numerator over half a year."""
    draw, took = random.Random(SEED), []
    measure = Documents(
        count="documents", types=frozenset(["11502-2"]), levels=frozenset(["N3"]), ins="qualified"
    )
    half = Period(date(2022, 1, 1), date(2022, 7, 1))
    for _ in range(QUESTIONS):
        async with database.read() as session:
            started = monotonic()
            whom = Beneficiary("structure", draw.choice(STRUCTURES))
            await count(session, SPACE, measure, whom, half)
            took.append((monotonic() - started) * 1000)
    return median(took)


async def measured(url: str, wanted: int, server: Processes) -> Result:
    cpus = os.sched_getaffinity(0)
    one = {min(cpus)}
    runs = []
    database = Database(url, application="socle-bench")
    try:
        written, filled = await fill(database, wanted)
        os.sched_setaffinity(0, one)
        runs.append(await counted(database, written, "PostgreSQL on all", server))
        server.hold(one)
        runs.append(await counted(database, written, "all on one", server))
    finally:
        server.hold(cpus)
        os.sched_setaffinity(0, cpus)
        await database.close()
    await analyzed(url, "usage.bucket")
    database = Database(url, application="socle-bench")
    try:
        question = await asked(database)
    finally:
        await database.close()
    connection = await connected(url)
    tables = " + ".join(f"pg_total_relation_size('usage.{table.name}')" for table in COUNTED)
    size = await connection.fetchval(f"SELECT pg_size_pretty({tables})")
    buckets = await connection.fetchval("SELECT count(*) FROM usage.bucket")
    await connection.close()
    return Result(written, filled, runs, buckets, size, question)


def report(results: list[Result]) -> None:
    table = Table(title="Usage, the log counted into empty tables")
    for column in (
        "events", "CPUs", "seconds", "events/s", "CPU µs/event", "daily sums", "tables",
        "question p50 ms",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    for result in results:
        events = result.written.events
        for run in result.runs:
            each = [cpu / events * 1e6 for cpu in (run.python, run.postgres)]
            table.add_row(
                f"{events:,}",
                run.where,
                f"{run.seconds:.1f}",
                f"{events / run.seconds:,.0f}",
                f"{each[0]:.0f} + {each[1]:.0f}",
                f"{result.buckets:,}",
                result.size,
                f"{result.question_ms:.2f}",
            )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. PostgreSQL 18 embedded.\n"
        "57 % documents (3 % of all replace, 3 % delete), 30 % acts, 5 % sessions, 5 % messages. A "
        "question is a structure's SU4 numerator over half a year, VACUUM ANALYZE before. CPU: of the\n"
        "counting process + of PostgreSQL."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--events", type=int, nargs="+", default=[1_000_000], help="10000000 takes half an hour"
    )
    arguments = parser.parse_args()
    results = []
    for wanted in arguments.events:
        with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
            Path(home).chmod(0o755)
            with EmbeddedPostgres(Path(home)) as server:
                asyncio.run(migrated(server.url))
                progress(f"{wanted:,} events")
                results.append(uvloop.run(measured(server.url, wanted, Processes(server.data))))
    report(results)


if __name__ == "__main__":
    main()
