"""`socle up`: the whole stack on one machine, under one supervisor."""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from services.catalogue import SERVICES
from socle.cli.banner import print_banner
from socle.clock import monotonic
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.postgres import EmbeddedPostgres
from socle.settings import MissingSettingError, Settings
from socle.supervisor import ProcessSpec, Supervisor

GATEWAY_PORT = 8080
GATEWAY_TLS_PORT = 8443


def run_stack() -> int:
    """Until Ctrl-C. Returns the exit code."""
    started = monotonic()
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    server = None if settings.database_url else EmbeddedPostgres(settings.home)
    try:
        if server is not None:
            server.prepare()
        specs = stack_specs(settings, server)
        return Supervisor(
            specs, on_ready=lambda: print_banner(settings, monotonic() - started)
        ).run()
    except EmbeddedServerError as error:
        raise MissingSettingError(str(error)) from error
    finally:
        if server is not None:
            server.release()


def stack_specs(settings: Settings, server: EmbeddedPostgres | None) -> list[ProcessSpec]:
    """PostgreSQL, then the migrations, then everything else side by side."""
    tls_port = os.environ.get("SOCLE_GATEWAY_TLS_PORT", str(GATEWAY_TLS_PORT))
    environment = {
        "SOCLE_DATABASE_URL": settings.database_url or (server.url if server else ""),
        "SOCLE_PSEUDONYM_KEY": _secret(settings.pseudonym_key, settings.home / "pseudonym.key"),
        "SOCLE_GATEWAY_KEY": _secret(settings.gateway_key, settings.home / "gateway.key"),
        "SOCLE_GATEWAY_TLS_PORT": tls_port,
        "SOCLE_PUBLIC_TLS_URL": settings.public_tls_url or f"https://localhost:{tls_port}",
        # Relays and consumers run inside the services: seven processes instead of fourteen.
        "SOCLE_WORKERS": os.environ.get("SOCLE_WORKERS", "inline"),
        "PYTHONUNBUFFERED": "1",
    }
    specs = [server.process_spec()] if server else []
    database = [spec.name for spec in specs]
    specs.append(_spec("migrate", ["migrate"], environment, after=database, once=True))
    for service in SERVICES:
        port = _port(f"SOCLE_{service.upper()}_PORT", getattr(settings, f"{service}_url"))
        specs.append(
            _spec(service, [service], environment, after=["migrate", *database], port=port)
        )
    port = int(os.environ.get("SOCLE_GATEWAY_PORT", GATEWAY_PORT))
    specs.append(_spec("gateway", ["gateway"], environment, after=["migrate"], port=port))
    return specs


def _spec(
    name: str,
    command: Sequence[str],
    environment: dict[str, str],
    *,
    after: Sequence[str],
    port: int | None = None,
    once: bool = False,
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=[sys.executable, "-m", "socle.cli", *command],
        env=environment,
        ready_url=f"http://127.0.0.1:{port}/readyz" if port else None,
        after=after,
        once=once,
    )


def _port(variable: str, url: str) -> int:
    return int(os.environ.get(variable) or url.rpartition(":")[2].strip("/"))


def _secret(given: SecretStr | None, path: Path) -> str:
    """The one in the environment, or one made for this home at its first start."""
    return read_or_make_secret(path) if given is None else given.get_secret_value()


def read_or_make_secret(path: Path) -> str:
    """Written to a private file under another name first: whole, or not there."""
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    return path.read_text().strip()
