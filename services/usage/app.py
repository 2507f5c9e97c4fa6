"""Composition of the usage service."""

from fastapi import FastAPI

from services.usage.api import (
    activity,
    attainments,
    calculations,
    candidatures,
    counters,
    declarations,
    evidence,
    forecasts,
    indicators,
    payments,
    pieces,
    practice,
    reports,
    rules,
    sas,
    sons,
)
from services.usage.declarants import declarants_of
from services.usage.domain.rules import shipped
from services.usage.domain.sons.calendar import calendar
from services.usage.seed import seed
from services.usage.settings import UsageSettings
from services.usage.workers import WORKERS
from socle.http.app import ServiceSpec, create_app


def build(settings: UsageSettings) -> FastAPI:
    shipped()  # read once, before the first request waits for it
    calendar()
    spec = ServiceSpec(
        name="usage",
        title="Socle: usage counters",
        routers=[
            indicators.router,
            activity.router,
            declarations.router,
            practice.router,
            rules.router,
            calculations.router,
            payments.router,
            forecasts.router,
            evidence.router,
            counters.router,
            reports.router,
            sons.router,
            pieces.router,
            candidatures.router,
            attainments.router,
            sas.router,
        ],
        seed=seed,
        workers=WORKERS,
        resources=[declarants_of],
        body_limits={"/usage/rules/": rules.MAX_RULE_FILE_BYTES},
    )
    return create_app(spec, settings)
