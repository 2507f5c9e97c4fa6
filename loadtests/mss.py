"""`make bench-mss`: mails per second that the mail service takes, durable before 250.

Ten clients submit to a hundred mailboxes over STARTTLS with a token, one mail a connection or fifty, in
plain SMTP commands, one after the other's answer. Each mail is another message. Afterwards the database
is asked for every mail that was acknowledged. One process of the service is held on one CPU, and the
clients on the others; more processes (`--processes 1 2`) run where the system puts them.

`--against PORT PID` measures another server that runs here already by the same clients: one that takes any
name and password over STARTTLS, such as Mailpit.
"""

import argparse
import asyncio
import base64
import os
import platform
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
import uvloop
from aiohttp import web
from rich.console import Console
from rich.table import Table

from loadtests.bench import processor, progress
from loadtests.single import connected, migrated, service_process
from socle.clock import monotonic, wall_seconds
from socle.embedded.postgres import EmbeddedPostgres
from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint

SPACE = "bench"
SENDER = "kit.doc0042788@socle.mssante.fr"
BOXES = [f"bench{number:03d}@socle.mssante.fr" for number in range(100)]
LINE = b"QWxsIHRoZSB3b3JsZCdzIGEgc3RhZ2UsIGFuZCBhbGwgdGhlIG1lbiBhbmQgd29tZW4gbWVy\r\n"
OWNER = "899700218896"
"""Not the sender: a login looks through all that its professional may open."""

OK = range(200, 400)
PORTS = [f"SOCLE_MSS_{name}_PORT" for name in ("SMTP", "IMAP", "PEER", "MLLP", "MLLP_TLS")]
PARTS = ("service", "PostgreSQL", "clients")


@dataclass
class Result:
    processes: int
    size: int
    mails: int
    """On one connection."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    processor_seconds: dict[str, float] = field(default_factory=dict)
    """For all that were accepted: what counts on a machine that others use too."""

    accepted: int = 0
    failures: int = 0


@dataclass(frozen=True)
class Target:
    resumes: bool
    owners: dict[int, str]
    """Of the CPU time that processes and their children use: one of PARTS by process id."""

    port: int
    context: ssl.SSLContext
    login: str
    """The mechanism, and its response."""


def message(number: str, size: int) -> bytes:
    header = (
        f"From: Dr_Kit_DOC0042788 <{SENDER}>\r\nTo: {BOXES[0]}\r\nMessage-ID: <{number}@bench>\r\n"
        "Subject: XDM/1.0/DDM+CR d'examens biologiques\r\nMIME-Version: 1.0\r\n"
        "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
        "X-MSS-NIL: DEV935997\r\nX-MSS-CODECDA: 11502-2\r\nX-MSS-INS: O\r\n\r\n"
    ).encode()
    return header + LINE * max(1, (size - len(header)) // len(LINE))


class Client:
    """SMTP without a library: its own work must not be what is measured. TLS is its own as well, because
    a loop's cannot resume a session."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.loop = asyncio.get_running_loop()
        self.tls: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.read = b""

    async def secure(self, context: ssl.SSLContext, session: ssl.SSLSession | None) -> None:
        self.tls = context.wrap_bio(
            self.incoming, self.outgoing, server_hostname="localhost", session=session
        )
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.send()
                self.incoming.write(await self.receive())
            else:
                return await self.send()

    async def send(self, clear: bytes = b"") -> None:
        if self.tls is not None and clear:
            self.tls.write(clear)
        wire = clear if self.tls is None else self.outgoing.read()
        if wire:
            await self.loop.sock_sendall(self.socket, wire)

    async def receive(self) -> bytes:
        found = await self.loop.sock_recv(self.socket, 65_536)
        if not found:
            raise ConnectionError("the service ended the connection")
        return found

    async def line(self) -> bytes:
        while b"\n" not in self.read:
            found = await self.receive()
            if self.tls is None:
                self.read += found
                continue
            self.incoming.write(found)
            with suppress(ssl.SSLWantReadError):
                while clear := self.tls.read():  # empty where the service has said goodbye
                    self.read += clear
        line, _, self.read = self.read.partition(b"\n")
        return line

    async def answer(self) -> None:
        while (line := await self.line())[3:4] == b"-":
            pass
        if int(line[:3]) not in OK:
            raise ConnectionError(line.decode("ascii", "replace"))

    async def say(self, line: str) -> None:
        await self.send(line.encode() + b"\r\n")
        await self.answer()

    async def submit(self, to: str, content: bytes) -> None:
        await self.say(f"MAIL FROM:<{SENDER}>")
        await self.say(f"RCPT TO:<{to}>")
        await self.say("DATA")
        await self.send(content + b".\r\n")
        await self.answer()


@asynccontextmanager
async def logged_in(target: Target, sessions: list[ssl.SSLSession]) -> AsyncIterator[Client]:
    """`sessions` holds the last one of this client, to be resumed; what it finds there it replaces."""
    with socket.socket() as connected:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", target.port))
        client = Client(connected)
        await client.answer()
        await client.say("EHLO bench")
        await client.say("STARTTLS")
        await client.secure(target.context, sessions.pop() if sessions else None)
        await client.say("EHLO bench")
        await client.say(f"AUTH {target.login}")
        yield client
        await client.say("QUIT")
        if target.resumes and client.tls is not None and client.tls.session is not None:
            sessions.append(client.tls.session)


def processor_seconds(owned: dict[int, str]) -> dict[str, float]:
    """What the service with its further processes, PostgreSQL and the clients have used so far."""
    used = dict.fromkeys(PARTS, 0)
    owners = {os.getpid(): "clients", **owned}
    for name in sorted((p.name for p in Path("/proc").glob("[0-9]*")), key=int):  # parents first
        with suppress(OSError):
            fields = (Path("/proc") / name / "stat").read_text().rpartition(")")[2].split()
            pid, parent = int(name), int(fields[1])
            if pid not in owners and parent in owners:
                owners[pid] = "service" if owners[parent] == "clients" else owners[parent]
            if pid in owners:
                used[owners[pid]] += int(fields[11]) + int(fields[12])
    return {part: ticks / os.sysconf("SC_CLK_TCK") for part, ticks in used.items()}


async def measure(target: Target, result: Result, clients: int, seconds: float) -> None:
    before = processor_seconds(target.owners)
    begin = monotonic() + min(2.0, seconds / 4)
    until = begin + seconds

    async def work(rank: int) -> None:
        number = 0
        sessions: list[ssl.SSLSession] = []
        while monotonic() < until:
            try:
                async with logged_in(target, sessions) as client:
                    for _ in range(result.mails):
                        number += 1
                        name = f"{result.size}.{result.mails}.{rank}.{number}"
                        content = message(name, result.size)
                        started = monotonic()
                        await client.submit(BOXES[(rank + number * clients) % len(BOXES)], content)
                        result.accepted += 1
                        if started >= begin:
                            result.milliseconds.append((monotonic() - started) * 1000)
                        if monotonic() >= until:
                            break
            except OSError as error:
                result.failures += 1
                progress(f"failed: {error}")

    await asyncio.gather(*(work(rank) for rank in range(clients)))
    result.seconds = monotonic() - begin
    used = processor_seconds(target.owners)
    result.processor_seconds = {part: used[part] - before[part] for part in PARTS}


@asynccontextmanager
async def keys_of(mint: TokenMint, port: int) -> AsyncIterator[None]:
    """What the service asks Pro Santé Connect for: the keys of its tokens."""

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"keys": [mint.key.as_dict(private=False)]})

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def postmaster_of(home: Path) -> int:
    return int(next(home.rglob("postmaster.pid")).read_text().split()[0])


async def run(
    arguments: argparse.Namespace, url: str, home: Path, ports: list[int], processes: int
) -> list[Result]:
    """`ports`: of SMTP, and of who publishes the keys of tokens."""
    space = f"{SPACE}{processes}"
    mint = TokenMint()
    async with keys_of(mint, ports[1]), httpx.AsyncClient(base_url=url, timeout=60) as http:
        for box in BOXES:
            made = await http.post(
                f"/s/{space}/_sandbox/mss/mailboxes",
                json={"address": box, "kind": "ORG", "label": "Bench", "owners": [OWNER]},
            )
            made.raise_for_status()
        token = mint.token(space, exp=wall_seconds() + 36_000)
        login = f"user={SENDER}\x01auth=Bearer {token}\x01\x01".encode()
        context = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
        login64 = base64.b64encode(login).decode()
        owners = {postmaster_of(home): "PostgreSQL"}
        target = Target(arguments.resume, owners, ports[0], context, f"XOAUTH2 {login64}")
        return await series(arguments, target, processes)


async def series(arguments: argparse.Namespace, target: Target, processes: int) -> list[Result]:
    async with logged_in(target, []) as client:  # the keys are fetched, the pools opened
        await client.submit(BOXES[0], message("first", 1000))
    results = []
    for size in arguments.sizes:
        for mails in arguments.mails:
            progress(f"{processes} processes, {size} bytes, {mails} a connection")
            result = Result(processes, size, mails)
            await measure(target, result, arguments.clients, arguments.seconds)
            results.append(result)
    return results


async def run_against(arguments: argparse.Namespace) -> list[Result]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    login = base64.b64encode(b"\0bench\0bench").decode()
    port, pid = arguments.against
    target = Target(arguments.resume, {pid: "service"}, port, context, f"PLAIN {login}")
    return await series(arguments, target, 0)


async def delivered(url: str) -> int:
    connection = await connected(url)
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM mss.item i JOIN mss.folder f ON f.id = i.folder"
            " WHERE f.address LIKE 'bench%'",
        )
        return count
    finally:
        await connection.close()


def report(results: list[Result], clients: int) -> None:
    table = Table(title=f"Mail submission, {clients} connections; CPU: milliseconds a mail")
    names = (
        "processes",
        "kB",
        "a connection",
        "mails/s",
        "MB/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        *(f"CPU {part}" for part in PARTS),
        "failed",
    )
    for name in names:
        table.add_column(name, justify="right")
    for result in results:
        if len(result.milliseconds) < 2:
            continue
        cuts = quantiles(result.milliseconds, n=100, method="inclusive")
        rate = len(result.milliseconds) / result.seconds
        table.add_row(
            str(result.processes),
            f"{result.size / 1000:g}",
            str(result.mails),
            f"{rate:.0f}",
            f"{rate * result.size / 1e6:.1f}",
            *(f"{cuts[p - 1]:.1f}" for p in (50, 95, 99)),
            *(f"{1000 * result.processor_seconds[part] / result.accepted:.2f}" for part in PARTS),
            str(result.failures),
        )
    console = Console(width=120)
    console.print(table)
    console.print(
        f"Machine: {os.cpu_count()} CPUs ({processor()}), {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. STARTTLS and a "
        "login on each connection."
    )


def measured(arguments: argparse.Namespace) -> list[Result]:
    """Ends the bench where a mail that was acknowledged is not there."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="socle-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with (
            EmbeddedPostgres(home) as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(migrated(server.url))
            for processes in arguments.processes:
                keys, *ports = free_ports(1 + len(PORTS))
                settings = {name: str(port) for name, port in zip(PORTS, ports, strict=True)}
                settings |= {
                    "SOCLE_HOME": folder,
                    "SOCLE_PSC_URL": f"http://127.0.0.1:{keys}",
                    "SOCLE_MSS_PROCESSES": str(processes),
                    "SOCLE_MSS_ECDSA": str(arguments.ecdsa),
                }
                pinned = processes == 1
                with service_process("mss", server.url, pinned, **settings) as url:
                    work = run(arguments, url, home, [ports[0], keys], processes)
                    results += runner.run(work)
            found = runner.run(delivered(server.url))
    accepted = sum(result.accepted for result in results)
    if found < accepted:  # a client that was cut off may not know of its last mail
        sys.exit(f"bench-mss: {accepted} acknowledged, {found} found")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--mails", type=int, nargs="+", default=[1, 50], help="on one connection")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 15_000, 100_000, 2_000_000])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="of the service")
    parser.add_argument("--resume", action="store_true", help="TLS sessions, as mail software does")
    parser.add_argument("--ecdsa", action="store_true", help="shows TLS 1.3 an ECDSA certificate")
    parser.add_argument("--against", type=int, nargs=2, metavar=("PORT", "PID"))
    arguments = parser.parse_args()
    results = uvloop.run(run_against(arguments)) if arguments.against else measured(arguments)
    report(results, arguments.clients)
    if not arguments.against:
        print("PostgreSQL 18 embedded, with its defaults for durability.")
    if any(result.failures for result in results):
        sys.exit("bench-mss: connections failed")


if __name__ == "__main__":
    main()
