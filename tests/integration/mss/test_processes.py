"""Several processes speak mail on the same ports; all that they share is the database."""

import asyncio
import imaplib
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT, ROBERT, ROBERT_BOX, xoauth2
from .running import environment_of, start, stop, submit

pytestmark = pytest.mark.postgres


def child_of(process: int, besides: int = 0) -> int:
    """The further process, once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes()
                is_mail = parent == process and b"services.mss.processes" in command
                if is_mail and int(folder.name) != besides:
                    return int(folder.name)
        time.sleep(0.1)
    raise AssertionError("no further process")


def is_gone(process: int) -> bool:
    """Dead, whether or not somebody has asked how."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """It takes no connection meanwhile, hence another does."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.fixture
def environment(database_url: str, mint: TokenMint, tmp_path: Path) -> Iterator[dict[str, str]]:
    [imaps] = free_ports(1)
    changes = {"SOCLE_MSS_PROCESSES": "2", "SOCLE_MSS_IMAPS_PORT": str(imaps)}
    with environment_of(database_url, tmp_path, mint, **changes) as environment:
        yield environment


@pytest.fixture
def service(environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    process = start(environment)
    try:
        yield process
    finally:
        stop(process)


def imap(environment: dict[str, str], token: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", int(environment["SOCLE_MSS_IMAP_PORT"]), PATIENCE_SECONDS)
    client.starttls(ssl.create_default_context(cafile=f"{environment['SOCLE_HOME']}/ca/root.pem"))
    client.authenticate("XOAUTH2", lambda _: xoauth2(ROBERT_BOX, token).encode())
    return client


def greeted_by_imaps(environment: dict[str, str]) -> None:
    trust = ssl.create_default_context(cafile=f"{environment['SOCLE_HOME']}/ca/root.pem")
    port = int(environment["SOCLE_MSS_IMAPS_PORT"])
    with imaplib.IMAP4_SSL(
        "127.0.0.1", port, ssl_context=trust, timeout=PATIENCE_SECONDS
    ) as client:
        assert "AUTH=XOAUTH2" in client.capabilities


async def test_idle_at_one_process_is_told_of_mail_that_another_has_accepted(
    environment: dict[str, str],
    service: "subprocess.Popen[bytes]",
    mint: TokenMint,
    space: str,
) -> None:
    def work() -> list[bytes]:
        first, second = service.pid, child_of(service.pid)
        with stopped(first):
            client = imap(environment, mint.token(space, ROBERT))
            client.select()
            client.send(b"Z1 IDLE\r\n")
            assert client.readline().startswith(b"+")
        with stopped(second):
            submit(environment, mint.token(space, KIT))
        told = [client.readline(), client.readline()]
        client.send(b"DONE\r\n")
        assert client.readline().startswith(b"Z1 OK")
        client.logout()
        return told

    assert await asyncio.to_thread(work) == [b"* 1 EXISTS\r\n", b"* 1 RECENT\r\n"]


async def test_the_first_process_starts_the_others_again_and_takes_them_with_it(
    environment: dict[str, str],
    service: "subprocess.Popen[bytes]",
    mint: TokenMint,
    space: str,
) -> None:
    def work() -> tuple[bool, bool]:
        second = child_of(service.pid)
        os.kill(second, signal.SIGKILL)
        third = child_of(service.pid, besides=second)
        with stopped(service.pid):
            submit(environment, mint.token(space, KIT))
            greeted_by_imaps(environment)
        service.kill()
        service.wait(PATIENCE_SECONDS)
        return is_gone(second), is_gone(third)

    assert await asyncio.to_thread(work) == (True, True)
