"""Runs one process: a service, one of its workers, the gateway, or the migrations.

Each imports what it needs when it needs it: the migrations no web framework, `socle up` neither.
"""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from socle.logs import configure_logging
from socle.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateway.settings import GatewaySettings
    from socle.http.server import TlsListener


def settings_of(service: str) -> Settings:
    """The service's own settings: services/<service>/settings.py, class <Service>Settings."""
    module = import_module(f"services.{service}.settings")
    settings: Settings = getattr(module, f"{service.capitalize()}Settings")()
    return settings


def serve_service(service: str) -> None:
    from socle.http.server import serve

    settings = settings_of(service)
    configure_logging(settings, service)
    settings.require_database_url()
    application: FastAPI = import_module(f"services.{service}.app").build(settings)
    serve(application, settings.host, _port(settings, service))


def serve_worker(service: str, worker: str) -> None:
    """With probes and metrics on SOCLE_WORKER_PORT."""
    from socle.http.server import serve
    from socle.http.worker import worker_app

    settings = settings_of(service)
    configure_logging(settings, f"{service}-{worker}")
    settings.require_database_url()
    run = import_module(f"services.{service}.workers").WORKERS[worker]
    serve(worker_app(service, worker, run, settings), settings.host, settings.worker_port)


def serve_gateway() -> None:
    from gateway.app import build
    from gateway.settings import GatewaySettings
    from socle.http.server import serve

    settings = GatewaySettings()
    configure_logging(settings, "gateway")
    serve(build(settings), settings.host, settings.gateway_port, _tls_listener(settings))


def _tls_listener(settings: "GatewaySettings") -> "TlsListener | None":
    if settings.gateway_tls_port is None:
        return None
    from socle.http.server import TlsListener
    from socle.http.tls import server_context
    from socle.pki import SandboxCa

    hosts = [host.strip() for host in settings.gateway_tls_hosts.split(",") if host.strip()]
    context = server_context(
        SandboxCa.open(settings.home / "ca"), "gateway", hosts, settings.gateway_tls_client_ca
    )
    return TlsListener(settings.gateway_tls_port, context)


def run_migrations() -> None:
    settings = Settings()
    configure_logging(settings, "migrate")
    asyncio.run(_migrate(settings.require_database_url()))


async def _migrate(url: str) -> None:
    from services.catalogue import all_migrations
    from socle.db.database import Database
    from socle.db.migrate import migrate

    database = Database(url, application="socle-migrate")
    try:
        await migrate(database, all_migrations())
    finally:
        await database.close()


def _port(settings: Any, service: str) -> int:
    port: int = getattr(settings, f"{service}_port")
    return port
