"""The process dies between the commit and the 250: the mail is there, and a retry adds none."""

import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from socle.db.database import Database
from socle.testing.tokens import TokenMint

from .conftest import KIT, KIT_BOX, ROBERT_BOX, xoauth2
from .samples import message

pytestmark = pytest.mark.postgres

# The real server on uvloop, trusting the test's key instead of a running PSC.
SERVER = """
import json, sys
from joserfc.jwk import RSAKey
import socle.kernel
from socle.testing.tokens import TokenMint
socle.kernel.RemoteKeys = lambda _: TokenMint(key=RSAKey.import_key(json.load(sys.stdin)))
from services.mss.app import build
from services.mss.settings import MssSettings
from socle.http.server import serve
settings = MssSettings()
serve(build(settings), settings.host, settings.mss_port)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(environment: dict[str, str], mint: TokenMint) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    with process.stdin as pipe:
        json.dump(mint.key.as_dict(private=True), pipe)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", int(environment["SOCLE_MSS_SMTP_PORT"]))).close()
            return process
        except ConnectionRefusedError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server did not start")


def submit(port: int, home: Path, token: str) -> None:
    trust = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.starttls(context=trust)
        client.ehlo()
        client.auth("XOAUTH2", lambda _=None: xoauth2(KIT_BOX, token))
        client.sendmail(KIT_BOX, [ROBERT_BOX], message())


async def test_no_mail_is_lost_or_doubled_when_the_process_is_killed_before_the_250(
    database: Database, database_url: str, mint: TokenMint, space: str, tmp_path: Path
) -> None:
    environment = {
        "SOCLE_DATABASE_URL": database_url,
        "SOCLE_HOME": str(tmp_path),
        "SOCLE_MSS_PORT": str(free_port()),
        "SOCLE_MSS_SMTP_PORT": str(free_port()),
        "SOCLE_MSS_IMAP_PORT": str(free_port()),
    }
    port, token = int(environment["SOCLE_MSS_SMTP_PORT"]), mint.token(space, KIT)

    first = start({**environment, "SOCLE_FAILPOINTS": "mss.stored=1"}, mint)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        submit(port, tmp_path, token)
    assert first.wait(10) == -signal.SIGKILL
    assert await delivered(database, space) == 1

    second = start(environment, mint)
    try:
        submit(port, tmp_path, token)
    finally:
        second.terminate()
        second.wait(20)
    assert await delivered(database, space) == 1


async def delivered(database: Database, space: str) -> int:
    async with database.read() as session:
        found = await session.execute(
            text("SELECT count(*) FROM mss.item WHERE space = :space"), {"space": space}
        )
        return int(found.scalar_one())
