"""A service in the test's own process: its real routes, middleware and database, no socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from socle.testing.tokens import TokenMint


@asynccontextmanager
async def client_of(
    app: FastAPI, mint: TokenMint | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Enters the lifespan (which httpx's transport does not) and trusts the mint's tokens."""
    async with app.router.lifespan_context(app):
        if mint is not None:
            app.state.kernel.verifier.keys = mint
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://socle.test") as client:
            yield client
