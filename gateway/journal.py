"""The gateway's journal, and the one view over the journals of all processes."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import aiohttp
import orjson
from fastapi import APIRouter, Query, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.context import gateway_of
from gateway.target import target_of
from gateway.upstreams import Upstreams
from socle.clock import monotonic, wall
from socle.errors import Category, DomainError
from socle.http.context import correlation_id, state_of
from socle.http.journal import Entry, Journal

router = APIRouter(prefix="/_sandbox", tags=["control plane"])
PATIENCE = aiohttp.ClientTimeout(total=2)
_EXEMPT = ("/_sandbox", "/livez", "/readyz", "/metrics")


class Journaled:
    """Enters each request once it is answered, refused or abandoned."""

    def __init__(self, app: ASGIApp, journal: Journal, default_space: str) -> None:
        self.app = app
        self.journal = journal
        self.default_space = default_space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_EXEMPT):
            await self.app(scope, receive, send)
            return
        state = state_of(scope)
        started, status = monotonic(), 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except DomainError as error:
            state["refusal"], status = error, error.status
            raise
        finally:
            self._enter(scope, state, status, monotonic() - started)

    def _enter(self, scope: Scope, state: dict[str, Any], status: int, seconds: float) -> None:
        refusal: DomainError | None = state.get("refusal")
        self.journal.add(
            Entry(
                at=wall(),
                space=state.get("space_of_caller") or state.get("space") or self.default_space,
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 2),
                correlation_id=correlation_id.get(),
                refusal=refusal.code if refusal else None,
                problems=refusal.problems if refusal else (),
            )
        )


@router.get("/journal")
async def read_journal(
    request: Request,
    refused: Annotated[bool, Query(description="only the requests that were refused")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The last requests of a space at every process, newest first.

    One correlation id joins what the gateway and a service entered for the same request.
    `missing` names the services whose journal could not be read.
    """
    gateway = gateway_of(request.app)
    if not gateway.settings.sandbox:
        raise DomainError(
            Category.FORBIDDEN, "sandbox_off", "The control plane exists in sandbox mode only."
        )
    space = request.state.space or gateway.settings.default_space
    own = gateway.journal.find(space, refused_only=refused, limit=limit)
    entries = [{"service": "gateway", **entry} for entry in own]
    missing = []
    target = target_of(request.scope)
    services = list(gateway.upstreams.urls)
    for service, found in zip(
        services,
        await asyncio.gather(*(_entries(gateway.upstreams, name, target) for name in services)),
        strict=True,
    ):
        if found is None:
            missing.append(service)
        else:
            entries.extend({"service": service, **entry} for entry in found)
    entries.sort(key=_instant, reverse=True)
    return {"entries": entries[:limit], "missing": missing}


async def _entries(upstreams: Upstreams, service: str, target: str) -> list[dict[str, Any]] | None:
    try:
        async with await upstreams.send(service, "GET", target, patience=PATIENCE) as answer:
            if answer.status != 200:
                return None
            found = orjson.loads(await answer.read())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return found if isinstance(found, list) else None


def _instant(entry: dict[str, Any]) -> datetime:
    at = entry["at"]
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
