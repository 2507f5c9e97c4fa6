"""Probes and metrics. `/readyz` is true only while every service behind is ready."""

import asyncio
from enum import StrEnum

import aiohttp
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.context import gateway_of
from gateway.upstreams import Upstreams
from socle.errors import Category, DomainError
from socle.problems import Problem

router = APIRouter(include_in_schema=False)
PATIENCE = aiohttp.ClientTimeout(total=2)


class State(StrEnum):
    READY = "ready"
    NOT_YET = "answers, but is not ready yet"
    SILENT = "has not answered within 2 s"
    UNREACHABLE = "cannot be reached"


async def states_of_services(upstreams: Upstreams) -> dict[str, State]:
    """All services are asked at once, so this takes two seconds at most."""
    states = await asyncio.gather(*(_state(upstreams, service) for service in upstreams.urls))
    return dict(zip(upstreams.urls, states, strict=True))


async def _state(upstreams: Upstreams, service: str) -> State:
    try:
        async with await upstreams.send(service, "GET", "/readyz", patience=PATIENCE) as answer:
            return State.READY if answer.status == 200 else State.NOT_YET
    except TimeoutError:
        return State.SILENT
    except aiohttp.ClientError:
        return State.UNREACHABLE


@router.get("/livez")
async def livez() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    states = await states_of_services(gateway_of(request.app).upstreams)
    waiting = {name: state for name, state in states.items() if state is not State.READY}
    if waiting:
        raise DomainError(
            Category.UNAVAILABLE,
            "not_ready",
            f"Not ready: {', '.join(waiting)}.",
            problems=[
                Problem("GATEWAY-UPSTREAM", name, state.value, "GET /readyz answers 200")
                for name, state in waiting.items()
            ],
            headers={"Retry-After": "1"},
        )
    return {"status": "ready"}


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
