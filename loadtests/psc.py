"""`make bench-psc`: logins and refreshes per second of Pro Santé Connect, directly at its port.

A code login is the authorization request (approved by `login_hint`) and the code's exchange; a
CIBA login is the backchannel request of a client that is approved at once, and one poll. Each
answer carries two RS256 signatures. Client, service and PostgreSQL share the machine.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import parse_qs, urlsplit

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from socle.clock import monotonic
from socle.testing.stack import Stack, free_ports

PREFIX = "/s/bench"
REALM = f"{PREFIX}/auth/realms/esante-wallet/protocol/openid-connect"
CLIENT = {"client_id": "socle-demo", "client_secret": "socle-demo-secret"}
PERSON = "899700427885"
CALLBACK = "http://127.0.0.1:9/callback"
APPROVED_AT_ONCE = "bench-ciba"
ASKED = {"scope": "openid scope_all", "acr_values": "eidas1", "login_hint": PERSON}


@dataclass(frozen=True)
class Result:
    name: str
    seconds: float
    milliseconds: list[float]
    failures: int


async def code_login(http: aiohttp.ClientSession, _: dict[str, str]) -> bool:
    query = {
        "response_type": "code",
        "client_id": CLIENT["client_id"],
        "redirect_uri": CALLBACK,
        "state": "s",
        **ASKED,
    }
    # A new visitor each time: the session's cookie would answer the second login without one.
    async with http.get(f"{PREFIX}/auth", params=query, allow_redirects=False) as answer:
        location = answer.headers.get("location", "")
    code = parse_qs(urlsplit(location).query).get("code", [""])[0]
    form = {**CLIENT, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return await _token(http, form) is not None


async def refresh(http: aiohttp.ClientSession, kept: dict[str, str]) -> bool:
    """Each caller goes on with the token that it was last given."""
    if "token" not in kept:
        kept["token"] = await _first_refresh_token(http)
    form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": kept["token"]}
    body = await _token(http, form)
    if body is None:
        return False
    kept["token"] = body["refresh_token"]
    return True


async def ciba_login(http: aiohttp.ClientSession, kept: dict[str, str]) -> bool:
    if "secret" not in kept:
        kept["secret"] = await _approving_client(http)
    client = {"client_id": APPROVED_AT_ONCE, "client_secret": kept["secret"]}
    form = {**client, **ASKED, "binding_message": "42", "channel": "MOBILE"}
    async with http.post(f"{REALM}/ext/ciba/auth", data=form) as answer:
        auth_req_id = (await answer.json())["auth_req_id"]
    form = {
        **client,
        "grant_type": "urn:openid:params:grant-type:ciba",
        "auth_req_id": auth_req_id,
    }
    return await _token(http, form) is not None


async def _approving_client(http: aiohttp.ClientSession) -> str:
    """A client whose requests are approved at once, so that the provider alone is measured."""
    secret = "bench-secret"
    body = {
        "client_id": APPROVED_AT_ONCE, "name": "Bench", "ciba": True, "auto_approve": True,
        "secret": secret,
    }  # fmt: skip
    async with http.put(f"{PREFIX}/_sandbox/psc/clients/{APPROVED_AT_ONCE}", json=body) as answer:
        answer.raise_for_status()
    return secret


async def _first_refresh_token(http: aiohttp.ClientSession) -> str:
    query = {
        "response_type": "code",
        "client_id": CLIENT["client_id"],
        "redirect_uri": CALLBACK,
        **ASKED,
    }
    async with http.get(f"{PREFIX}/auth", params=query, allow_redirects=False) as answer:
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    form = {**CLIENT, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    body = await _token(http, form)
    assert body is not None
    return body["refresh_token"]


async def _token(http: aiohttp.ClientSession, form: dict[str, str]) -> dict[str, str] | None:
    async with http.post(f"{REALM}/token", data=form) as answer:
        body: dict[str, str] = await answer.json()
        return body if answer.status == httpx.codes.OK else None


def _session(url: str, callers: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=callers)
    return aiohttp.ClientSession(url, connector=connector, cookie_jar=aiohttp.DummyCookieJar())


Step = Callable[[aiohttp.ClientSession, dict[str, str]], Awaitable[bool]]
STEPS: dict[str, Step] = {
    "code login": code_login,
    "refresh": refresh,
    "CIBA login": ciba_login,
}


async def measure(
    urls: Sequence[str], name: str, step: Step, callers: int, seconds: float
) -> Result:
    """Each caller keeps to one process."""
    milliseconds: list[float] = []
    failures = 0
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(_session(url, callers)) for url in urls]

        async def call(rank: int, until: float) -> None:
            nonlocal failures
            http = sessions[rank % len(sessions)]
            kept: dict[str, str] = {}
            await step(http, kept)  # warms up
            while monotonic() < until:
                started = monotonic()
                if await step(http, kept):
                    milliseconds.append((monotonic() - started) * 1000)
                else:
                    failures += 1

        started = monotonic()
        await asyncio.gather(*(call(rank, started + seconds) for rank in range(callers)))
        return Result(name, monotonic() - started, milliseconds, failures)


def report(results: list[Result], callers: int, processes: int) -> None:
    table = Table(title=f"Pro Santé Connect, {processes} processes, {callers} callers")
    for column in ("operation", "per second", "p50 ms", "p95 ms", "p99 ms", "failed"):
        table.add_column(column, justify="right")
    for result in results:
        cuts = quantiles(result.milliseconds, n=100, method="inclusive")
        table.add_row(
            result.name,
            f"{len(result.milliseconds) / result.seconds:.0f}",
            *(f"{cuts[p - 1]:.1f}" for p in (50, 95, 99)),
            str(result.failures),
        )
    console = Console(width=100)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. PostgreSQL 18 embedded, fsync "
        "on.\nPSC is reached at its own ports; client and database share the machine."
    )


@contextmanager
def more_processes(stack: Stack, count: int) -> Iterator[list[str]]:
    """Further PSC processes over the stack's own database."""
    ports, running = free_ports(count), list[subprocess.Popen[bytes]]()
    home = stack.home / "postgres"
    database = f"postgresql+asyncpg://socle@/socle?host={stack.home.resolve()}/run"
    assert home.exists(), "the stack has no database of its own"
    try:
        for port in ports:
            environment = {
                **stack.environment, "SOCLE_PSC_PORT": str(port), "SOCLE_DATABASE_URL": database,
                "SOCLE_PSEUDONYM_KEY": (stack.home / "pseudonym.key").read_text().strip(),
            }  # fmt: skip
            running.append(
                subprocess.Popen([sys.executable, "-m", "socle.cli", "psc"], env=environment)
            )
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url in urls:
            wait_ready(url)
        yield urls
    finally:
        for process in running:
            process.terminate()
            process.wait(timeout=20)


def wait_ready(url: str, patience: float = 30) -> None:
    until = monotonic() + patience
    while monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    sys.exit(f"bench: {url} is not ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1, help="of PSC, over one database")
    parser.add_argument("--only", choices=STEPS, help="one operation instead of all")
    arguments = parser.parse_args()
    chosen = [arguments.only] if arguments.only else list(STEPS)
    results = []
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as home:
        Path(home).chmod(0o755)
        with (
            Stack(Path(home), {"SOCLE_PSC_CIBA_INTERVAL_SECONDS": "0"}) as stack,
            more_processes(stack, arguments.processes - 1) as others,
        ):
            urls = [f"http://127.0.0.1:{stack.ports['psc']}", *others]
            for name in chosen:
                progress(name)
                step = STEPS[name]
                results.append(
                    asyncio.run(measure(urls, name, step, arguments.callers, arguments.seconds))
                )
    report(results, arguments.callers, arguments.processes)
    if any(result.failures for result in results):
        sys.exit("bench-psc: some answers were refusals")


if __name__ == "__main__":
    main()
