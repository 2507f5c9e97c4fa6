"""Composition of the usage service."""

from fastapi import FastAPI

from services.usage.api import activity, indicators
from services.usage.seed import seed
from services.usage.settings import UsageSettings
from services.usage.workers import WORKERS
from socle.http.app import ServiceSpec, create_app


def build(settings: UsageSettings) -> FastAPI:
    spec = ServiceSpec(
        name="usage",
        title="Socle: usage counters",
        routers=[indicators.router, activity.router],
        seed=seed,
        workers=WORKERS,
    )
    return create_app(spec, settings)
