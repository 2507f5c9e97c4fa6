"""A worker in a process of its own: it serves nothing but its probes and its metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from socle.http import health
from socle.http.app import Worker, handle_errors, running_workers
from socle.http.render import Dialects
from socle.kernel import Kernel
from socle.settings import Settings


def worker_app(service: str, name: str, worker: Worker, settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kernel = Kernel.build(service, settings)
        app.state.kernel = kernel
        try:
            async with running_workers(kernel, {name: worker}):
                yield
        finally:
            await kernel.close()

    app = FastAPI(title=f"{service} {name}", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(health.router)
    handle_errors(app, Dialects())
    return app
