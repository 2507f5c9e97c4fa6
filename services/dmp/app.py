"""Composition of the DMP service."""

from fastapi import FastAPI

from services.dmp.api import (
    capability,
    documents,
    fhir_patients,
    find,
    patch,
    patient,
    patients,
    provide,
    records,
    retrieve,
    sets,
    soap,
    xds,
)
from services.dmp.hot.registrar import registrar_of
from services.dmp.settings import DmpSettings
from services.dmp.workers import WORKERS
from services.dmp.xds.faults import fault_renderer
from socle.http.app import ServiceSpec, create_app
from socle.http.render import render_outcome


def build(settings: DmpSettings) -> FastAPI:
    spec = ServiceSpec(
        name="dmp",
        title="Socle: DMP, shared medical record",
        routers=[
            provide.router,
            find.router,
            fhir_patients.router,
            sets.router,
            patch.router,
            retrieve.router,
            capability.router,
            xds.router,
            patients.router,
            records.router,
            documents.router,
            patient.router,
        ],
        dialects={
            "/dmp/fhir": render_outcome,
            soap.PREFIX: fault_renderer(multipart=False),
            soap.REPOSITORY: fault_renderer(multipart=True),
        },
        fhir=["/dmp/fhir"],
        slashes=["/dmp/fhir", soap.PREFIX],
        workers=WORKERS,
        resources=[registrar_of],
    )
    return create_app(spec, settings)
