"""Composition of the PSC service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from services.psc import sweeper
from services.psc.api import (
    authorization,
    ciba,
    clients,
    discovery,
    enrolment,
    esante_proxy,
    exchange,
    keys,
    login,
    logout,
    par,
    people,
    phone,
    requests,
    resources,
    sessions,
    token,
    waiting,
)
from services.psc.api.cors import CrossOrigin
from services.psc.api.render import render
from services.psc.provider import Provider
from services.psc.seed import seed
from services.psc.settings import PscSettings
from services.psc.workers import WORKERS
from socle.auth.tokens import API_REALM_PATH
from socle.http.app import ServiceSpec, create_app
from socle.kernel import Kernel


@asynccontextmanager
async def _provider(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    provider = Provider.of(kernel)
    app.state.provider = provider
    task = asyncio.create_task(sweeper.run(provider), name="psc-sweeper")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await provider.http.aclose()


def build(settings: PscSettings) -> FastAPI:
    spec = ServiceSpec(
        name="psc",
        title="Socle: Pro Santé Connect",
        routers=[
            # Routes are tried in this order: the busiest first.
            token.router,
            authorization.router,
            resources.router,
            ciba.router,
            discovery.router,
            par.router,
            login.router,
            waiting.router,
            logout.router,
            exchange.router,
            esante_proxy.router,
            clients.router,
            people.router,
            keys.router,
            enrolment.router,
            requests.router,
            sessions.router,
            phone.router,
        ],
        seed=seed,
        dialects={
            "/auth": render,
            API_REALM_PATH: render,
            **dict.fromkeys(("/connect", "/disconnect", "/send", "/traces"), esante_proxy.render),
        },
        workers=WORKERS,
        resources=[_provider],
        max_body_bytes=settings.psc_max_body_bytes,
        body_limits=dict.fromkeys((people.RASS, "/send/"), settings.max_body_bytes),
    )
    app = create_app(spec, settings)
    app.add_middleware(CrossOrigin)
    return app
