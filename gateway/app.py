"""Composition of the gateway. It has no database, so it is not built as a service is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway import health, journal, landing
from gateway.context import Gateway
from gateway.journal import Journaled
from gateway.proxy import Proxy
from gateway.routes import dialects
from gateway.settings import GatewaySettings
from gateway.target import RawTarget
from gateway.upstreams import open_upstreams
from socle import __version__
from socle.auth.keys import RemoteKeys
from socle.auth.tokens import TokenVerifier
from socle.http.app import handle_errors
from socle.http.journal import Journal
from socle.http.middleware.boundary import ErrorBoundary
from socle.http.middleware.correlation import Correlation
from socle.http.middleware.limits import BodyLimit, InFlightLimit
from socle.http.middleware.space import SpaceOfPath
from socle.http.render import Dialects

NAME = "gateway"


def build(settings: GatewaySettings) -> FastAPI:
    requests = Journal(settings.journal_size)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        verifier = TokenVerifier(
            RemoteKeys(settings.psc_url), settings.public_url, settings.default_space
        )
        async with open_upstreams(settings) as upstreams:
            app.state.gateway = Gateway(settings, upstreams, verifier, requests)
            yield

    app = FastAPI(
        title="Socle: gateway",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in (landing.router, journal.router, health.router):
        app.include_router(router)
    _add_middleware(app, settings, requests)
    return app


def _add_middleware(app: FastAPI, settings: GatewaySettings, requests: Journal) -> None:
    """The last added is the outermost; the order is that of the services (socle/http/app.py)."""
    by_path = Dialects(dialects())
    handle_errors(app, by_path)
    app.add_middleware(Proxy)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(InFlightLimit, service=NAME, limit=settings.max_in_flight)
    # Outside the two limits, so that a vendor finds their refusals in the journal too.
    app.add_middleware(Journaled, journal=requests, default_space=settings.default_space)
    app.add_middleware(SpaceOfPath)
    app.add_middleware(RawTarget)
    app.add_middleware(ErrorBoundary, dialects=by_path)
    app.add_middleware(Correlation, service=NAME)
