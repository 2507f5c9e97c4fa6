"""`make bench-ins`: searches by traits per second, directly at the port of one INS process.

The service is held on one CPU; the client and PostgreSQL have the others. Every search is of a
person who is there, drawn evenly from the whole population, so that nothing is answered from a warm
corner. The check of the caller is off: `python -m loadtests.verification` says what a token costs.
"""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from loadtests.single import analyzed, migrated, service_process
from services.ins.domain.population import population
from socle.clock import monotonic
from socle.embedded.postgres import EmbeddedPostgres
from socle.idgen import random_uuid
from socle.ids.traits import Traits

SEED = 7
PER_CALL = 20_000
SEARCHED = 4000
ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
FOUND = b"<CodeCR>00</CodeCR>"
SEVERAL = b"<CodeCR>02</CodeCR>"


@dataclass(frozen=True)
class Result:
    people: int
    callers: int
    seconds: float
    milliseconds: list[float]
    failures: int


def fill(url: str, space: str, there: int, wanted: int) -> float:
    """Seconds that it took."""
    started = monotonic()
    while there < wanted:
        body = {"seed": SEED, "start": there, "count": min(PER_CALL, wanted - there)}
        answer = httpx.post(
            f"{url}/s/{space}/_sandbox/ins/people/synthetic", json=body, timeout=120
        )
        there += answer.raise_for_status().json()["stored"]
        sys.stderr.write(f"\r{there} of {wanted} people ")
    sys.stderr.write("\n")
    return monotonic() - started


def envelopes(people: int) -> list[bytes]:
    draw = random.Random(SEED)
    numbers = [draw.randrange(people) for _ in range(SEARCHED)]
    return [envelope(next(iter(population(SEED, number, 1))).traits) for number in numbers]


def envelope(traits: Traits) -> bytes:
    place = f"<LieuNaissance>{traits.birth_place}</LieuNaissance>" if traits.birth_place else ""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>'
        '<b:ContexteBAM xmlns:b="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">'
        f"<b:Id>{random_uuid()}</b:Id><b:Temps>2026-11-27T09:30:00Z</b:Temps>"
        "<b:Emetteur>10B0152872</b:Emetteur><b:COUVERTURE/></b:ContexteBAM>"
        '<l:ContexteLPS xmlns:l="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">'
        f"<l:Id>{random_uuid()}</l:Id><l:Temps>2026-11-27T09:30:00Z</l:Temps>"
        "<l:Emetteur>10B0152872</l:Emetteur><l:LPS><l:IDAM>BENCH</l:IDAM>"
        f"<l:Version>1</l:Version><l:Instance>{random_uuid()}</l:Instance>"
        "<l:Nom>urn:lps:bench:1</l:Nom></l:LPS></l:ContexteLPS>"
        f'<w:Action xmlns:w="http://www.w3.org/2005/08/addressing">{ACTION}</w:Action>'
        '<w:MessageID xmlns:w="http://www.w3.org/2005/08/addressing">'
        f"uuid:{random_uuid()}</w:MessageID></s:Header><s:Body>"
        '<RECSANSVITALE xmlns="http://www.cnamts.fr/INSiRecSans">'
        f"<NomNaissance>{traits.family_name}</NomNaissance>"
        f"<Prenom>{traits.given_names}</Prenom><Sexe>{traits.sex}</Sexe>"
        f"<DateNaissance>{traits.birth_date}</DateNaissance>{place}</RECSANSVITALE>"
        "</s:Body></s:Envelope>"
    ).encode()


async def measure(
    url: str, space: str, people: int, bodies: list[bytes], callers: int, seconds: float
) -> Result:
    milliseconds: list[float] = []
    failures = 0
    headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{ACTION}"'}
    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(url, connector=connector, headers=headers) as http:

        async def call(rank: int, begin: float, until: float) -> None:
            nonlocal failures
            position = rank * len(bodies) // callers
            while (started := monotonic()) < until:
                body = bodies[position % len(bodies)]
                position += 1
                async with http.post(f"/s/{space}/lps", data=body) as answer:
                    content = await answer.read()
                if started < begin:  # warms up
                    continue
                if answer.status == httpx.codes.OK and (FOUND in content or SEVERAL in content):
                    milliseconds.append((monotonic() - started) * 1000)
                else:
                    failures += 1

        begin = monotonic() + min(2.0, seconds / 4)
        until = begin + seconds
        await asyncio.gather(*(call(rank, begin, until) for rank in range(callers)))
        return Result(people, callers, monotonic() - begin, milliseconds, failures)


def report(results: list[Result], filled: dict[int, float]) -> None:
    table = Table(title="INSi, searches by traits, one process on one CPU")
    for column in ("people", "callers", "per second", "p50 ms", "p95 ms", "p99 ms", "failed"):
        table.add_column(column, justify="right")
    for result in results:
        cuts = quantiles(result.milliseconds, n=100, method="inclusive")
        table.add_row(
            f"{result.people:,}",
            str(result.callers),
            f"{len(result.milliseconds) / result.seconds:.0f}",
            *(f"{cuts[p - 1]:.2f}" for p in (50, 95, 99)),
            str(result.failures),
        )
    console = Console(width=100)
    console.print(table)
    loads = ", ".join(f"{people:,} in {seconds:.0f} s" for people, seconds in filled.items())
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. PostgreSQL 18 embedded.\n"
        f"The register was filled over HTTP: {loads}; then VACUUM ANALYZE."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 1_000_000])
    arguments = parser.parse_args()
    results, filled = [], {}
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
        Path(home).chmod(0o755)
        with EmbeddedPostgres(Path(home)) as server:
            asyncio.run(migrated(server.url))
            with service_process("ins", server.url, SOCLE_INS_AUTHENTICATION="off") as url:
                # Spaces share the table, so each population is in one of its own.
                for people in sorted(arguments.people):
                    space = f"bench-{people}"
                    filled[people] = fill(url, space, 0, people)
                    asyncio.run(analyzed(server.url, "ins.person"))
                    bodies = envelopes(people)
                    for callers in arguments.callers:
                        progress(f"{people} people, {callers} callers")
                        results.append(
                            asyncio.run(
                                measure(url, space, people, bodies, callers, arguments.seconds)
                            )
                        )
    report(results, filled)
    if any(result.failures for result in results):
        sys.exit("bench-ins: some answers were not what was searched")


if __name__ == "__main__":
    main()
