"""`make bench`: documents per second and percentiles through the gateway.

Starts a stack of its own on free ports and a new home, so that nothing else is measured. The
client is one asyncio process with as many connections as callers. It builds each document
between two requests, outside the time that is measured but on the same CPUs; client, services
and PostgreSQL share the machine, and the table says so.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from loadtests.documents import Deposit, new_deposit
from socle.clock import monotonic
from socle.demo.document import DEMO_INSTANT, DEMO_STRUCTURE
from socle.demo.identity import Patient, make_known
from socle.demo.login import log_in
from socle.demo.walk import AUTHOR
from socle.testing.stack import Stack

SPACE = "bench"
SIZES = (12_000, 150_000)


@dataclass(frozen=True)
class Result:
    size: int
    callers: int
    seconds: float
    milliseconds: list[float]
    failures: int

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    @property
    def megabytes_per_second(self) -> float:
        return self.per_second * self.size / 1e6

    def percentile(self, hundredth: int) -> float:
        return quantiles(self.milliseconds, n=100, method="inclusive")[hundredth - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--kafka", metavar="HOST:PORT", help="events over this broker")
    arguments = parser.parse_args()
    extra = (
        {"SOCLE_EVENTS": "kafka", "SOCLE_KAFKA_BOOTSTRAP": arguments.kafka}
        if arguments.kafka
        else {}
    )
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
        Path(home).chmod(0o755)
        with Stack(Path(home), extra) as stack:
            results = [
                measure(stack, size, callers, arguments.seconds)
                for size in SIZES
                for callers in arguments.callers
            ]
    report(results, "Kafka" if arguments.kafka else "embedded log")


def measure(stack: Stack, size: int, callers: int, seconds: float) -> Result:
    space = f"{SPACE}-{size}-{callers}"
    with httpx.Client(base_url=stack.url, timeout=30) as http:
        clock = {"now": DEMO_INSTANT.isoformat()}
        http.put(f"/s/{space}/_sandbox/clock", json=clock).raise_for_status()
        make_known(http, f"/s/{space}", Patient())
        session = log_in(http, f"/s/{space}", AUTHOR)
        progress(f"{size // 1000} KB, {callers} callers")
        result = asyncio.run(_send(stack.url, space, session.headers, size, callers, seconds))
        _check_counted(http, space, session.headers, len(result.milliseconds))
    return result


async def _send(
    url: str, space: str, headers: dict[str, str], size: int, callers: int, seconds: float
) -> Result:
    """Each caller sends its next document when the last one is answered (closed loop)."""
    milliseconds: list[float] = []
    failures = 0
    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(url, connector=connector) as http:
        fhir = {**headers, "Content-Type": "application/fhir+json"}

        async def send(deposit: Deposit) -> bool:
            async with http.post(f"/s/{space}/dmp/fhir", data=deposit.body, headers=fhir) as answer:
                await answer.read()
                return answer.status == httpx.codes.OK

        async def call(until: float) -> None:
            nonlocal failures
            while monotonic() < until:
                deposit = new_deposit(size)
                started = monotonic()
                if await send(deposit):
                    milliseconds.append((monotonic() - started) * 1000)
                else:
                    failures += 1

        await asyncio.gather(*(send(new_deposit(size)) for _ in range(callers)))  # warms up
        started = monotonic()
        await asyncio.gather(*(call(started + seconds) for _ in range(callers)))
        return Result(size, callers, monotonic() - started, milliseconds, failures)


def _check_counted(http: httpx.Client, space: str, headers: dict[str, str], documents: int) -> None:
    """A figure counts only if every acknowledged document was counted, once."""
    deadline = monotonic() + 120
    counted = -1
    while monotonic() < deadline:
        measured = http.get(
            f"/s/{space}/usage/indicators/SU4",
            params={"structure": DEMO_STRUCTURE.number, "window": "F1"},
            headers=headers,
        )
        if measured.status_code == httpx.codes.UNAUTHORIZED:
            headers = log_in(http, f"/s/{space}", AUTHOR).headers
            continue
        counted = measured.json()["numerator"]["value"]
        if counted >= documents:
            return
    sys.exit(f"bench: {documents} documents were acknowledged and {counted} were counted")


def report(results: Sequence[Result], log: str) -> None:
    table = Table(title="ITI-65 through the gateway, closed loop")
    for column in (
        "document",
        "callers",
        "documents/s",
        "MB/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "failed",
    ):
        table.add_column(column, justify="right")
    for result in results:
        table.add_row(
            f"{result.size // 1000} KB",
            str(result.callers),
            f"{result.per_second:.0f}",
            f"{result.megabytes_per_second:.1f}",
            *(f"{result.percentile(p):.1f}" for p in (50, 95, 99)),
            str(result.failures),
        )
    console = Console(width=100)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}. PostgreSQL 18 embedded, fsync on; events: {log}.\n"
        "Client, gateway, services and database share the machine. Documents: generated CR-BIO,\n"
        "CDA R2 N3, one a request; every acknowledged document was counted in SU4 before the next"
        " row."
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def progress(text: str) -> None:
    sys.stderr.write(f"measuring {text} ...\n")


if __name__ == "__main__":
    main()
