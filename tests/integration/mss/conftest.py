"""The mail service in the test's own process, with real sockets; clients run in threads."""

import asyncio
import base64
import imaplib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import text

from services.ins.app import build as build_ins
from services.ins.settings import InsSettings
from services.mss.app import build
from services.mss.settings import MssSettings
from socle.db.database import Database
from socle.testing.apps import client_of
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

KIT, ROBERT = "899700427885", "899700218896"
KIT_BOX = "kit.doc0042788@socle.mssante.fr"
ROBERT_BOX = "robert.specialiste0021889@socle.mssante.fr"
Result = TypeVar("Result")
CLIENTS = ThreadPoolExecutor(32, thread_name_prefix="mail-client")


def xoauth2(user: str, token: str) -> str:
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def oauthbearer(user: str, token: str) -> str:
    return f"n,a={user},\x01host=localhost\x01port=587\x01auth=Bearer {token}\x01\x01"


@dataclass
class Mail:
    app: Any
    http: httpx.AsyncClient
    mint: TokenMint
    space: str
    trust: ssl.SSLContext

    async def run(self, work: Callable[[], Result]) -> Result:
        """In a thread of the clients' own: the loop's are the server's, which would wait for them."""
        return await asyncio.get_running_loop().run_in_executor(CLIENTS, work)

    def token(self, who: str = KIT, space: str | None = None) -> str:
        return self.mint.token(space or self.space, who)

    def smtp_clear(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.app.state.smtp_port, timeout=PATIENCE_SECONDS)

    @contextmanager
    def smtp_tls(self) -> Iterator[smtplib.SMTP]:
        with self.smtp_clear() as client:
            client.starttls(context=self.trust)
            client.ehlo()
            yield client

    @contextmanager
    def smtp(self, who: str = KIT, box: str = KIT_BOX) -> Iterator[smtplib.SMTP]:
        with self.smtp_tls() as client:
            blob = xoauth2(box, self.token(who))
            client.auth("XOAUTH2", lambda _=None: blob)
            yield client

    def submit(self, content: bytes, to: str = ROBERT_BOX) -> None:
        with self.smtp() as client:
            assert client.sendmail(KIT_BOX, [to], content) == {}

    def imap_clear(self) -> imaplib.IMAP4:
        return imaplib.IMAP4("127.0.0.1", self.app.state.imap_port, timeout=PATIENCE_SECONDS)

    def imap_tls(self) -> imaplib.IMAP4:
        client = self.imap_clear()
        client.starttls(self.trust)
        return client

    @contextmanager
    def imap(self, who: str = ROBERT, box: str = ROBERT_BOX) -> Iterator[imaplib.IMAP4]:
        client = self.imap_tls()
        try:
            blob = xoauth2(box, self.token(who)).encode()
            client.authenticate("XOAUTH2", lambda _: blob)
            yield client
        finally:
            client.logout()


@asynccontextmanager
async def mail_service(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path, **changes: Any
) -> AsyncIterator[Mail]:
    settings = MssSettings(
        **{
            **settings_values,
            "home": home,
            "mss_smtp_port": 0,
            "mss_imap_port": 0,
            "mss_peer_port": 0,
            "mss_mllp_port": 0,
            "mss_mllp_tls_port": 0,
            "mss_max_message_bytes": 1_000_000,
            "ins_url": "http://127.0.0.1:9",  # nobody listens: a forgotten question shows as a 451
            **changes,
        }
    )
    app = build(settings)
    async with client_of(app, mint) as http:
        trust = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
        trust.check_hostname = True
        yield Mail(app, http, mint, space, trust)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all tests: the keys of the sandbox CA take longer to make than most of them to run."""
    return tmp_path_factory.mktemp("mss")


@pytest.fixture
async def nothing_pending(database: Database) -> None:
    """For services that end at a failpoint, and for tests that take one thing from a queue: what other
    tests have left there would come first."""
    async with database.write() as session:
        for emptying in (
            "DELETE FROM mss.queued",
            "UPDATE mss.hl7_deposit SET next_at = NULL",
            "UPDATE mss.hl7_acknowledgement SET next_at = NULL",
        ):
            await session.execute(text(emptying))


@pytest.fixture
async def mail(
    settings_values: dict[str, Any], mint: TokenMint, space: str, home: Path
) -> AsyncIterator[Mail]:
    async with mail_service(settings_values, mint, space, home) as mail:
        yield mail


@pytest.fixture
async def ins_url(settings_values: dict[str, Any], mint: TokenMint) -> AsyncIterator[str]:
    """The real INS service on a real socket."""
    app = build_ins(InsSettings(**settings_values))
    async with serving(lambda _: app) as url:
        app.state.kernel.verifier.keys = mint
        yield url


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()
