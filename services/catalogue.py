"""The services, by name: what the command line and the tests need to know of all of them."""

from importlib import import_module
from pathlib import Path

from socle.db.migrations import Migrations

SERVICES = ("psc", "ins", "dmp", "mss", "usage")


def migrations_of(service: str) -> Migrations:
    package = import_module(f"services.{service}")
    assert package.__file__ is not None
    return Migrations(service, Path(package.__file__).parent / "migrations")


def all_migrations() -> list[Migrations]:
    return [migrations_of(service) for service in SERVICES]
