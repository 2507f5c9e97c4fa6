"""The real mail service in processes of its own, which tests kill."""

import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from socle.testing.stack import free_ports
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .conftest import KIT_BOX, ROBERT_BOX, xoauth2
from .samples import message

DROPPED = (smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLError)
"""What a client meets when the server dies; the last, in the middle of a handshake."""
_started: "list[subprocess.Popen[bytes]]" = []
PORTS = ("MSS_PORT", "MSS_SMTP_PORT", "MSS_IMAP_PORT", "MSS_PEER_PORT", "MSS_MLLP_PORT")


@contextmanager
def keys_of(mint: TokenMint) -> Iterator[str]:
    """Pro Santé Connect, as far as the service asks it: the keys of its tokens, by any path."""
    body = json.dumps({"keys": [mint.key.as_dict(private=False)]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal of the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def environment_of(
    database_url: str, home: Path, mint: TokenMint, **more: str
) -> Iterator[dict[str, str]]:
    """For `start`: free ports, and whose tokens are taken. Ends what a failed test has left running."""
    ports = zip(PORTS, map(str, free_ports(len(PORTS))), strict=True)
    with keys_of(mint) as psc:
        try:
            yield {
                "SOCLE_DATABASE_URL": database_url,
                "SOCLE_HOME": str(home),
                "SOCLE_PSC_URL": psc,
                "SOCLE_MSS_MLLP_TLS_PORT": "0",
                **{f"SOCLE_{name}": port for name, port in ports},
                **more,
            }
        finally:
            for process in _started:
                process.kill()
                process.wait(PATIENCE_SECONDS)
            _started.clear()


def start(environment: Mapping[str, str], **more: str) -> "subprocess.Popen[bytes]":
    """Ready: HTTP is listened for last, when mail and MLLP are."""
    process = subprocess.Popen(
        [sys.executable, "-m", "socle.cli", "mss"],
        env={**os.environ, **environment, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _started.append(process)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", int(environment["SOCLE_MSS_PORT"]))).close()
            return process
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@contextmanager
def logged_in(environment: Mapping[str, str], token: str) -> Iterator[smtplib.SMTP]:
    trust = ssl.create_default_context(cafile=f"{environment['SOCLE_HOME']}/ca/root.pem")
    port = int(environment["SOCLE_MSS_SMTP_PORT"])
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_SECONDS) as client:
        client.starttls(context=trust)
        client.ehlo()
        client.auth("XOAUTH2", lambda _=None: xoauth2(KIT_BOX, token))
        yield client


def submit(
    environment: Mapping[str, str],
    token: str,
    to: str = ROBERT_BOX,
    content: bytes | None = None,
) -> None:
    with logged_in(environment, token) as client:
        client.sendmail(KIT_BOX, [to], content or message())
