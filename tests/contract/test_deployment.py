"""Compose and Kubernetes run the processes that the command line offers, with settings that exist."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main
import yaml

from gateway.settings import GatewaySettings
from services.catalogue import SERVICES
from socle.cli.app import app
from socle.cli.serve import settings_of
from socle.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
BASE = ROOT / "deploy" / "k8s" / "base"
WORKERS = {
    (service, worker)
    for service in SERVICES
    for worker in import_module(f"services.{service}.workers").WORKERS
}
PROCESSES = {("migrate",), ("gateway",)} | {(service,) for service in SERVICES} | WORKERS
# Variables of the compose file itself, which no process reads.
OF_COMPOSE = {"SOCLE_IMAGE", "SOCLE_POSTGRES_IMAGE", "SOCLE_KAFKA_IMAGE"}


def settings_variables() -> set[str]:
    classes: list[type[Settings]] = [GatewaySettings, *(type(settings_of(s)) for s in SERVICES)]
    return {f"SOCLE_{name.upper()}" for cls in classes for name in cls.model_fields}


def manifests() -> list[dict[str, Any]]:
    return [
        document
        for file in sorted(BASE.glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
        if document
    ]


@pytest.mark.parametrize("process", sorted(WORKERS), ids=" ".join)
def test_each_worker_is_a_command(process: tuple[str, str]) -> None:
    service, worker = process
    found = typer.main.get_command(app)
    for name in process:
        assert isinstance(found, typer.core.TyperGroup)
        assert name in found.commands, f"socle {service} {worker} is unknown"
        found = found.commands[name]


class TestCompose:
    def test_runs_every_process_of_the_command_line(self) -> None:
        services = yaml.safe_load(COMPOSE.read_text())["services"]
        commands = {
            tuple(service["command"])
            for name, service in services.items()
            if name not in ("postgres", "kafka")
        }
        assert commands == PROCESSES

    def test_waits_for_health_before_it_says_that_all_is_up(self) -> None:
        services = yaml.safe_load(COMPOSE.read_text())["services"]
        unwatched = {name for name, service in services.items() if "healthcheck" not in service}
        assert unwatched == {"migrate"}


class TestKubernetes:
    def test_runs_every_process_of_the_command_line(self) -> None:
        commands = {
            tuple(container["args"])
            for manifest in manifests()
            if manifest["kind"] in ("Deployment", "Job")
            for container in manifest["spec"]["template"]["spec"]["containers"]
        }
        assert commands == PROCESSES

    def test_names_each_file_of_the_folder(self) -> None:
        kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
        named = set(kustomization["resources"]) | {"kustomization.yaml"}
        assert named == {file.name for file in BASE.glob("*.yaml")}


@pytest.mark.parametrize("file", [COMPOSE, *sorted(BASE.rglob("*.*"))], ids=lambda file: file.name)
def test_sets_only_variables_that_exist(file: Path) -> None:
    used = set(re.findall(r"\bSOCLE_[A-Z0-9_]+\b", file.read_text()))
    assert used - OF_COMPOSE <= settings_variables()
