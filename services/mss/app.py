"""Composition of the mail service: HTTP, SMTP and IMAP in one process, SMTP and IMAP in as many as wanted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.mss.annuaire.api import ROUTERS as ANNUAIRE
from services.mss.annuaire.api.access import render_annuaire
from services.mss.api import (
    autoconfig,
    delegations,
    documents,
    hl7,
    integration,
    mailboxes,
    messages,
    patient,
    patient_state,
    reports,
    sandbox,
    trust,
    trust_control,
)
from services.mss.front import addresses_of, front_of
from services.mss.hl7v2.server import mllp_servers
from services.mss.listening import port_of
from services.mss.processes import further_processes
from services.mss.seed import seed
from services.mss.settings import MssSettings
from services.mss.transport.courier import courier_of
from services.mss.transport.receivers import receivers_of
from services.mss.trust.authority import authority_of
from services.mss.workers import WORKERS
from socle.http.app import ServiceSpec, create_app
from socle.kernel import Kernel


@asynccontextmanager
async def mail_servers(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    settings = kernel.settings
    assert isinstance(settings, MssSettings)
    authority = app.state.authority
    async with front_of(kernel, settings, authority.ca, addresses_of(settings)) as front:
        app.state.intake, app.state.changes = front.intake, front.changes
        app.state.smtp_port = port_of(front.smtp)
        app.state.imap_port = port_of(front.imap)
        app.state.peer_port = port_of(front.peer)
        async with (
            mllp_servers(front.intake, authority.ca) as mllp,
            receivers_of(kernel, settings, authority, front.intake.patients) as receivers,
            courier_of(kernel, settings, app, app.state.peer_port, receivers),
            further_processes(settings, front),
        ):
            app.state.mllp_port, app.state.mllp_tls_port = mllp.plain, mllp.tls
            yield


def build(settings: MssSettings) -> FastAPI:
    spec = ServiceSpec(
        name="mss",
        title="Socle: secure mail (MSSanté)",
        routers=[
            mailboxes.router,
            messages.router,
            patient.router,
            patient_state.router,
            documents.router,
            integration.router,
            hl7.router,
            reports.router,
            reports.control,
            sandbox.router,
            trust.router,
            autoconfig.router,
            delegations.router,
            trust_control.router,
            *ANNUAIRE,
        ],
        dialects={"/fhir/v2": render_annuaire},
        fhir=["/fhir/v2"],
        body_limits={"/fhir/v2/": 1024 * 1024},
        seed=seed,
        workers=WORKERS,
        resources=[authority_of, mail_servers],
    )
    return create_app(spec, settings)
