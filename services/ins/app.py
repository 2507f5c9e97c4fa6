"""Composition of the INS service."""

from fastapi import FastAPI

from services.ins.api import (
    datamatrix,
    identities,
    lps,
    patients,
    people,
    population,
    representations,
    status,
    verification,
)
from services.ins.insi.faults import fault_renderer
from services.ins.seed import seed
from services.ins.settings import InsSettings
from services.ins.workers import WORKERS
from socle.http.app import ServiceSpec, create_app
from socle.http.render import render_outcome


def build(settings: InsSettings) -> FastAPI:
    spec = ServiceSpec(
        name="ins",
        title="Socle: Identité Nationale de Santé",
        routers=[
            lps.router,
            status.router,
            datamatrix.router,
            identities.router,
            representations.router,
            patients.router,
            verification.router,
            people.router,
            population.router,
        ],
        seed=seed,
        dialects={
            "/lps": fault_renderer(settings.ins_soap_prefix),
            patients.PREFIX: render_outcome,
        },
        fhir=[patients.PREFIX],
        workers=WORKERS,
        max_body_bytes=settings.ins_max_body_bytes,
        body_limits={verification.BATCHES: settings.ins_max_batch_bytes},
    )
    return create_app(spec, settings)
