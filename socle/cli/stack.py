"""`socle up`: the whole stack on one machine, under one supervisor."""

import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from pydantic import SecretStr

from services.catalogue import SERVICES
from socle.cli.banner import print_banner
from socle.cli.ports import ports_of, require_free
from socle.cli.serve import settings_of
from socle.clock import monotonic
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.postgres import EmbeddedPostgres
from socle.settings import MissingSettingError, Settings
from socle.supervisor import ForkServer, ProcessSpec, Supervisor

GATEWAY_PORT = 8080
GATEWAY_TLS_PORT = 8443

# What each process imports before it does anything; what several need is imported once for all.
COMMANDS = ("socle.cli.app", "socle.cli.serve")
PRELOAD: dict[str, Sequence[str]] = {
    "migrate": (*COMMANDS, "services.catalogue", "socle.db.migrate"),
    **{name: (*COMMANDS, "socle.http.server", f"services.{name}.app") for name in SERVICES},
    "gateway": (*COMMANDS, "socle.http.server", "socle.http.tls", "socle.pki", "gateway.app"),
}

ADDRESSES = ("public_url", *(f"{name}_url" for name in SERVICES))


def run_stack() -> int:
    """Until Ctrl-C. Returns the exit code."""
    started = monotonic()
    with ExitStack() as stack:
        forks = stack.enter_context(ForkServer(_preloaded())) if _may_fork() else None
        settings = at_its_ports(Settings())
        require_free(settings.host, stack_ports(settings))
        settings.home.mkdir(parents=True, exist_ok=True)
        server = None if settings.database_url else EmbeddedPostgres(settings.home)
        try:
            if server is not None:
                stack.callback(server.release)
                server.prepare()
            return Supervisor(
                stack_specs(settings, server),
                on_ready=lambda: print_banner(settings, monotonic() - started),
                forks=forks,
            ).run()
        except EmbeddedServerError as error:
            raise MissingSettingError(str(error)) from error


def _may_fork() -> bool:
    """SOCLE_FORK=false starts every process as a program of its own."""
    return ForkServer.is_possible() and os.environ.get("SOCLE_FORK", "true").lower() != "false"


def _preloaded() -> list[str]:
    """Each module once, in the order in which the processes start."""
    return list(dict.fromkeys(chain.from_iterable(PRELOAD.values())))


def at_its_ports(settings: Settings) -> Settings:
    """Whoever moves a port alone moves the address with it, at which the others look for it."""
    addresses = {
        f"{one}_url": f"http://127.0.0.1:{_service_port(one, settings)}" for one in SERVICES
    }
    addresses["public_url"] = f"http://localhost:{_gateway_port()}"
    given = settings.model_fields_set
    return settings.model_copy(
        update={name: url for name, url in addresses.items() if name not in given}
    )


def stack_ports(settings: Settings) -> dict[str, int]:
    """Setting → port, of every listener of the stack but PostgreSQL's."""
    ports = {
        "SOCLE_GATEWAY_PORT": _gateway_port(),
        "SOCLE_GATEWAY_TLS_PORT": int(_gateway_tls_port()),
    }
    for service in SERVICES:
        ports |= ports_of(service, settings_of(service))
        ports[f"SOCLE_{service.upper()}_PORT"] = _service_port(service, settings)
    return ports


def stack_specs(settings: Settings, server: EmbeddedPostgres | None) -> list[ProcessSpec]:
    """PostgreSQL, then the migrations, then everything else side by side."""
    tls_port = _gateway_tls_port()
    environment = {
        "SOCLE_DATABASE_URL": settings.database_url or (server.url if server else ""),
        "SOCLE_PSEUDONYM_KEY": _secret(settings.pseudonym_key, settings.home / "pseudonym.key"),
        "SOCLE_GATEWAY_KEY": _secret(settings.gateway_key, settings.home / "gateway.key"),
        "SOCLE_GATEWAY_TLS_PORT": tls_port,
        **{f"SOCLE_{name.upper()}": getattr(settings, name) for name in ADDRESSES},
        "SOCLE_PUBLIC_TLS_URL": settings.public_tls_url or f"https://localhost:{tls_port}",
        # Relays and consumers run inside the services: seven processes instead of fourteen.
        "SOCLE_WORKERS": os.environ.get("SOCLE_WORKERS", "inline"),
        "PYTHONUNBUFFERED": "1",
    }
    specs = [server.process_spec()] if server else []
    database = [spec.name for spec in specs]
    specs.append(_spec("migrate", ["migrate"], environment, after=database, once=True))
    for service in SERVICES:
        port = _service_port(service, settings)
        specs.append(
            _spec(service, [service], environment, after=["migrate", *database], port=port)
        )
    specs.append(
        _spec("gateway", ["gateway"], environment, after=["migrate"], port=_gateway_port())
    )
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
        preload=PRELOAD[name],
    )


def _gateway_port() -> int:
    return int(os.environ.get("SOCLE_GATEWAY_PORT", GATEWAY_PORT))


def _gateway_tls_port() -> str:
    return os.environ.get("SOCLE_GATEWAY_TLS_PORT", str(GATEWAY_TLS_PORT))


def _service_port(service: str, settings: Settings) -> int:
    """Its own setting, or that of the address where the others look for it."""
    url: str = getattr(settings, f"{service}_url")
    own = os.environ.get(f"SOCLE_{service.upper()}_PORT")
    return int(own or url.rpartition(":")[2].strip("/"))


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
