"""`make bench-dmp`: searches in a registry that grows, directly at the port of one DMP process.

Rows are written in SQL with the metadata of a real document; patients have fifty documents each. Every
request is for a patient, or a document, drawn evenly from the whole registry. The check of the caller is
off: `python -m loadtests.verification` says what a token costs. The service is held on one CPU; the
client and PostgreSQL have the others.
"""

import argparse
import asyncio
import base64
import os
import platform
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import aiohttp
import orjson
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from loadtests.single import PSEUDONYM_KEY, analyzed, connected, migrated, service_process
from services.dmp.fhir.from_xds import reference_of
from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.clock import monotonic
from socle.demo.document import laboratory_report
from socle.embedded.postgres import EmbeddedPostgres
from socle.idgen import random_uuid
from socle.ids.ins import NIR_TEST, Ins
from socle.pseudonyms import pseudonym
from socle.xds.document_entry import entry_of

SPACE = "bench"
PER_PATIENT = 50
SAMPLE = 400
SEED = 7
FIND_DOCUMENTS = "14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS = "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
PER_STATEMENT = 100_000

# A row of the registry for each number from $1 on, before $2; $3 names the patients of the sample.
# Identifiers grow with time, as those that the service draws.
FILL = """
INSERT INTO dmp.document (
    space, id, logical_id, chain_id, version, latest, status_changes, masked, owners, submission_set,
    unique_id, status, patient, type_code, class_code, created_at, registered_at, sha256, size, metadata
)
SELECT 'bench', id, id, id, 1, true, 0, false, '{899700427885}', uuidv7(),
       '1.2.250.1.999.5.' || n, 'Approved', COALESCE(($3::text[])[n / 50 + 1], md5((n / 50)::text)),
       '11502-2', '10', timestamptz '2022-01-01' + n % 100000 * interval '7 minutes', now(),
       '\\x00', 12000, $4::jsonb
FROM (SELECT n, uuidv7() AS id FROM generate_series($1::int, $2::int - 1) AS n) AS numbered
"""


@dataclass(frozen=True)
class Result:
    entries: int
    what: str
    seconds: float
    milliseconds: list[float]
    failures: int


def patients(count: int) -> list[Ins]:
    """Numbers that nobody has, of the test OID."""
    return [Ins(NIR_TEST, f"1{number:012d}") for number in range(count)]


async def fill(url: str, there: int, wanted: int) -> float:
    """Seconds that it took."""
    content = laboratory_report(target_bytes=12_000)
    described = metadata_of(read_header(content), content)
    assert described.patient is not None
    entry = entry_of(described, described.patient)
    row = {
        "submitted": reference_of(entry, described.patient),
        "xds": entry.as_json(),
        "size": entry.size,
        "sha1_base64": base64.b64encode(bytes.fromhex(entry.hash)).decode(),
        "mime": entry.mime_type,
    }
    connection = await connected(url)
    started = monotonic()
    for start in range(there, wanted, PER_STATEMENT):
        end = min(start + PER_STATEMENT, wanted)
        names = {number: pseudonym(PSEUDONYM_KEY.encode(), SPACE, ins.oid, ins.matricule)
                 for number, ins in numbered(wanted)}  # fmt: skip
        chosen = [names.get(place) for place in range(end // PER_PATIENT + 1)]
        await connection.execute(FILL, start, end, chosen, orjson.dumps(row).decode())
        sys.stderr.write(f"\r{end:,} of {wanted:,} entries ")
    sys.stderr.write("\n")
    await connection.close()
    return monotonic() - started


def numbered(entries: int) -> list[tuple[int, Ins]]:
    """The patients who are searched: the first ones, whom every size has, with fifty documents that are
    spread over the years like everybody's."""
    places = list(range(min(SAMPLE, entries // PER_PATIENT)))
    return list(zip(places, patients(len(places)), strict=True))


def find_documents(ins: Ins) -> bytes:
    return _query(
        FIND_DOCUMENTS,
        ("$XDSDocumentEntryPatientId", f"'{ins.cx}'".replace("&", "&amp;")),
        ("$XDSDocumentEntryStatus", APPROVED),
    )


def get_documents(number: int) -> bytes:
    return _query(GET_DOCUMENTS, ("$XDSDocumentEntryUniqueId", f"('1.2.250.1.999.5.{number}')"))


def _query(identifier: str, *slots: tuple[str, str]) -> bytes:
    asked = "".join(
        f'<r:Slot name="{name}"><r:ValueList><r:Value>{value}</r:Value></r:ValueList></r:Slot>'
        for name, value in slots
    )
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>'
        "<a:Action>urn:ihe:iti:2007:RegistryStoredQuery</a:Action>"
        f"<a:MessageID>urn:uuid:{random_uuid()}</a:MessageID><a:To/></s:Header><s:Body>"
        '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
        'xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        '<q:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>'
        f'<r:AdhocQuery id="urn:uuid:{identifier}">{asked}</r:AdhocQuery>'
        "</q:AdhocQueryRequest></s:Body></s:Envelope>"
    ).encode()


async def measure(
    url: str, entries: int, what: str, body_of: Callable[[], tuple[bytes, int]], seconds: float
) -> Result:
    """One caller, closed loop. A body comes with the number of entries that its answer must hold."""
    milliseconds: list[float] = []
    failures = 0
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    path = f"/s/{SPACE}/si-dmp-server/v2/services/registry"
    async with aiohttp.ClientSession(url, headers=headers) as http:
        begin = monotonic() + min(2.0, seconds / 4)
        while (started := monotonic()) < begin + seconds:
            body, expected = body_of()
            async with http.post(path, data=body) as answer:
                content = await answer.read()
            if started < begin:  # warms up
                continue
            if content.count(b"<rim:ExtrinsicObject ") == expected:
                milliseconds.append((monotonic() - started) * 1000)
            else:
                failures += 1
        return Result(entries, what, monotonic() - begin, milliseconds, failures)


def report(results: list[Result], filled: dict[int, float], size: str) -> None:
    table = Table(title="DMP, stored queries, one process on one CPU, one caller")
    for column in ("entries", "query", "per second", "p50 ms", "p95 ms", "p99 ms", "failed"):
        table.add_column(column, justify="left" if column == "query" else "right")
    for result in results:
        cuts = quantiles(result.milliseconds or [0, 0], n=100, method="inclusive")
        table.add_row(
            f"{result.entries:,}",
            result.what,
            f"{len(result.milliseconds) / result.seconds:.0f}",
            *(f"{cuts[p - 1]:.2f}" for p in (50, 95, 99)),
            str(result.failures),
        )
    console = Console(width=100)
    console.print(table)
    loads = ", ".join(f"{entries:,} in {seconds:.0f} s" for entries, seconds in filled.items())
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. PostgreSQL 18 embedded.\n"
        f"The registry was filled in SQL ({loads}), then VACUUM ANALYZE; {size} in the end."
    )


async def measured(url: str, entries: int, seconds: float) -> list[Result]:
    draw = random.Random(SEED)
    sample = [ins for _, ins in numbered(entries)]
    whole = entries // PER_PATIENT * PER_PATIENT
    progress(f"{entries:,} entries")
    results = [
        await measure(
            url, entries, "FindDocuments (50)",
            lambda: (find_documents(draw.choice(sample)), PER_PATIENT), seconds,
        ),
        await measure(
            url, entries, "GetDocuments (1)",
            lambda: (get_documents(draw.randrange(whole)), 1), seconds,
        ),
    ]  # fmt: skip
    for one in results:  # at once: ten million take a while
        median = quantiles(one.milliseconds or [0, 0], n=2, method="inclusive")[0]
        sys.stderr.write(f"{one.entries:,} entries, {one.what}: p50 {median:.2f} ms\n")
    return results


async def table_size(url: str) -> str:
    connection = await connected(url)
    size = await connection.fetchval(
        "SELECT pg_size_pretty(pg_total_relation_size('dmp.document'))"
    )
    await connection.close()
    return f"dmp.document has {size}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument(
        "--entries", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000]
    )
    arguments = parser.parse_args()
    results: list[Result] = []
    filled: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
        Path(home).chmod(0o755)
        with EmbeddedPostgres(Path(home)) as server:
            asyncio.run(migrated(server.url))
            options = {"SOCLE_DMP_AUTHENTICATION": "off", "SOCLE_DMP_AUTHORIZATIONS": "off"}
            with service_process("dmp", server.url, **options) as url:
                there = 0
                for entries in sorted(arguments.entries):
                    filled[entries] = asyncio.run(fill(server.url, there, entries))
                    there = entries
                    asyncio.run(analyzed(server.url, "dmp.document"))
                    results += asyncio.run(measured(url, entries, arguments.seconds))
            report(results, filled, asyncio.run(table_size(server.url)))
    if any(result.failures for result in results):
        sys.exit("bench-dmp: some answers were not what was searched")


if __name__ == "__main__":
    main()
