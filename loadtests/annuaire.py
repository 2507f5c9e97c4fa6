"""`make bench-annuaire`: how long searches of a large directory take, at the port of one MSS process.

One caller, one search after the other, each kind with other values every time. The directory is
filled over HTTP with synthetic professionals, their structures, situations and mailboxes.
"""

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import httpx
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from loadtests.single import analyzed, migrated, service_process
from services.mss.annuaire.domain.systems import PROFESSION, SECTOR
from services.mss.annuaire.seed import DEMO_KEY
from socle.clock import monotonic
from socle.embedded.postgres import EmbeddedPostgres
from socle.people.population import population
from socle.testing.stack import free_ports

SEED = 7
PER_CALL = 10_000
SPACE = "bench"
TABLES = ("annuaire_entry", "annuaire_text", "annuaire_mailbox", "mailbox", "mailbox_owner")
Draw = Callable[[random.Random, int], str]


def _rpps(draw: random.Random, people: int) -> str:
    [one] = population(SEED, draw.randrange(people), 1)
    return one.SubjectNameID[1:]


def _family(draw: random.Random, people: int) -> str:
    [one] = population(SEED, draw.randrange(people), 1)
    return one.family_name


SEARCHES: dict[str, Draw] = {
    "Practitioner?identifier=": lambda draw, n: f"Practitioner?identifier={_rpps(draw, n)}",
    "… with situations and structures": lambda draw, n: (
        f"Practitioner?identifier={_rpps(draw, n)}&_revinclude=PractitionerRole:practitioner"
        "&_include:iterate=PractitionerRole:organization"
    ),
    "Practitioner?family=&given=": lambda draw, n: (
        f"Practitioner?family={_family(draw, n)}&given={draw.choice('ABCEHJLMNP')}"
    ),
    "Practitioner?name:contains=": lambda draw, n: (
        f"Practitioner?name:contains={_family(draw, n)[1:5]}"
    ),
    "Practitioner?qualification-code=": lambda draw, _: (
        f"Practitioner?qualification-code={PROFESSION}|{draw.choice(['10', '21', '40', '60'])}"
    ),
    "Practitioner?active=true": lambda _draw, _n: "Practitioner?active=true",
    "Organization?type=&address-postalcode=": lambda draw, _: (
        f"Organization?type={SECTOR}|{draw.choice(['SA07', 'SA01', 'SA33'])}"
        f"&address-postalcode={draw.choice(['69', '75', '31', '59'])}"
    ),
    "Practitioner?mailbox-mss:contains=@": lambda _draw, _n: (
        "Practitioner?mailbox-mss:contains=%40"
    ),
    "Practitioner?mailbox-mss:contains=<number>": lambda draw, n: (
        f"Practitioner?mailbox-mss:contains={_rpps(draw, n)[3:10]}"
    ),
    "Practitioner?mailbox-mss=<beginning>": lambda draw, _: (
        f"Practitioner?mailbox-mss={draw.choice(['camille', 'nadia', 'karim', 'theo'])}.s"
    ),
    "Organization?mailbox-mss-type=ORG": lambda draw, _: (
        f"Organization?mailbox-mss-type=ORG&type={draw.choice(['SA01', 'SA04', 'SA33'])}"
    ),
    "Practitioner?_lastUpdated=ge2020": lambda _draw, _n: "Practitioner?_lastUpdated=ge2020",
    "Practitioner?_sort=family,given": lambda _draw, _n: "Practitioner?_sort=family,given",
    "Practitioner?family=&_sort=-given": lambda draw, n: (
        f"Practitioner?family={_family(draw, n)}&_sort=-given"
    ),
    "PractitionerRole?practitioner.family=": lambda draw, n: (
        f"PractitionerRole?practitioner.family={_family(draw, n)}"
    ),
    "Practitioner?_has:…:organization.name=": lambda draw, n: (
        "Practitioner?_has:PractitionerRole:practitioner:organization.name="
        f"CABINET {_family(draw, n)}"
    ),
}  # fmt: skip


def fill(http: httpx.Client, people: int) -> float:
    """Seconds that it took."""
    started = monotonic()
    for start in range(0, people, PER_CALL):
        asked = {"size": min(PER_CALL, people - start), "seed": SEED, "start": start}
        answer = http.post("/_sandbox/mss/annuaire/population", params=asked)
        answer.raise_for_status()
        sys.stderr.write(f"\r{start + asked['size']} of {people} people ")
    sys.stderr.write("\n")
    return monotonic() - started


def measure(http: httpx.Client, draw: Draw, people: int, number: int) -> list[float]:
    """Milliseconds. A page that is walked on counts as the search that it is."""
    chosen = random.Random(SEED)
    milliseconds = []
    for turn in range(number + 3):
        path = f"/fhir/v2/{draw(chosen, people)}"
        started = monotonic()
        http.get(path).raise_for_status()
        if turn >= 3:  # warms up
            milliseconds.append((monotonic() - started) * 1000)
    return milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--number", type=int, default=60, help="searches of each kind")
    arguments = parser.parse_args()
    table = Table(title=f"Annuaire, {arguments.people:,} people, one caller, pages of 50")
    for column in ("search", "p50 ms", "p95 ms", "max ms"):
        table.add_column(column, justify="left" if column == "search" else "right")
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
        Path(home).chmod(0o755)
        with EmbeddedPostgres(Path(home)) as server:
            asyncio.run(migrated(server.url))
            doors = ("SMTP", "IMAP", "PEER", "MLLP", "MLLP_TLS")
            free = zip(doors, free_ports(len(doors)), strict=True)
            ports = {f"SOCLE_MSS_{door}_PORT": str(port) for door, port in free}
            with (
                service_process("mss", server.url, SOCLE_HOME=home, **ports) as url,
                httpx.Client(
                    base_url=f"{url}/s/{SPACE}", headers={"ESANTE-API-KEY": DEMO_KEY}, timeout=300
                ) as http,
            ):
                filled = fill(http, arguments.people)
                asyncio.run(analyzed(server.url, *(f"mss.{name}" for name in TABLES)))
                for name, draw in SEARCHES.items():
                    progress(name)
                    found = measure(http, draw, arguments.people, arguments.number)
                    cuts = quantiles(found, n=100, method="inclusive")
                    table.add_row(name, f"{cuts[49]:.1f}", f"{cuts[94]:.1f}", f"{max(found):.1f}")
    console = Console(width=100)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. PostgreSQL 18 embedded.\n"
        f"Filled over HTTP in {filled:.0f} s; then VACUUM ANALYZE."
    )


if __name__ == "__main__":
    main()
