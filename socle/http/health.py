"""Probes and metrics. `/readyz` is true only once migrations have run and the seed is there."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def livez() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    kernel = kernel_of(request)
    try:
        async with kernel.database.read() as session:
            await session.execute(text("SELECT 1"))
        await kernel.spaces.get(kernel.settings.default_space)
    except (SQLAlchemyError, OSError) as error:
        raise DomainError(
            Category.UNAVAILABLE,
            "not_ready",
            "The database cannot be reached, or its migrations have not run (`socle migrate`).",
            headers={"Retry-After": "1"},
        ) from error
    return {"status": "ready"}


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
