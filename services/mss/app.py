"""Composition of the mail service: HTTP, SMTP and IMAP in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.mss.api import mailboxes, sandbox
from services.mss.changes import Changes
from services.mss.imap.server import imap_server
from services.mss.seed import seed
from services.mss.settings import MssSettings
from services.mss.smtp.server import smtp_server
from services.mss.tls import server_context
from services.mss.workers import WORKERS
from socle.http.app import ServiceSpec, create_app
from socle.kernel import Kernel


@asynccontextmanager
async def mail_servers(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    settings = kernel.settings
    assert isinstance(settings, MssSettings)
    tls = server_context(settings)
    app.state.changes = Changes(kernel.database)
    async with (
        app.state.changes.listening(),
        smtp_server(kernel, settings, tls) as app.state.smtp_port,
        imap_server(kernel, settings, tls, app.state.changes) as app.state.imap_port,
    ):
        yield


def build(settings: MssSettings) -> FastAPI:
    spec = ServiceSpec(
        name="mss",
        title="Socle: secure mail (MSSanté)",
        routers=[mailboxes.router, sandbox.router],
        seed=seed,
        workers=WORKERS,
        resources=[mail_servers],
    )
    return create_app(spec, settings)
