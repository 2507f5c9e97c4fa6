"""Clients that we did not write, against a running stack, through the gateway."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from socle.idgen import random_uuid
from socle.testing.stack import Stack
from tests.clients.packages import SCRIPTS, java_with_packages, node_with_packages

REALM = "/auth/realms/esante-wallet"
GENERALIST = "899700427885"
REDIRECT = "http://127.0.0.1:8765/callback"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="socle-clients-") as folder:
        Path(folder).chmod(0o755)  # the server may have to run as another user than root
        values = {"SOCLE_EVENTS": "embedded", "SOCLE_PSC_CIBA_INTERVAL_SECONDS": "1"}
        with Stack(Path(folder), values) as running:
            yield running


@dataclass(frozen=True)
class Vendor:
    """One space, as its vendor sees it."""

    stack: Stack
    space: str

    @property
    def url(self) -> str:
        return f"{self.stack.url}/s/{self.space}"

    @property
    def issuer(self) -> str:
        return self.url + REALM

    @property
    def discovery(self) -> str:
        """PSC's own name of the document."""
        return f"{self.issuer}/.well-known/wallet-openid-configuration"

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.url}/_sandbox/psc{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def setting(self, **more: Any) -> dict[str, str]:
        """The environment of a script: what it is told of provider and client."""
        told = {
            "issuer": self.issuer,
            "discovery": self.discovery,
            "clientId": "socle-demo",
            "secret": "socle-demo-secret",
            "redirectUri": REDIRECT,
            "person": GENERALIST,
            **more,
        }
        return {**os.environ, "SETTING": json.dumps(told)}


@pytest.fixture
def vendor(stack: Stack) -> Vendor:
    return Vendor(stack, f"vendor-{random_uuid().hex[:12]}")


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the packages of the lock beside the scripts."""
    return node_with_packages()


@pytest.fixture(scope="session")
def java() -> list[str]:
    """The command that runs a class of the Java project. Before any token is asked for: the first time,
    Maven may take longer than a token lives."""
    return java_with_packages()


@dataclass
class Script:
    """A script that runs beside the test and tells its results line by line."""

    process: "subprocess.Popen[str]"

    def told(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, complaint = self.process.communicate(timeout=30)
            raise AssertionError(complaint)
        return dict(json.loads(line))


class Scripts:
    def __init__(self, node: str) -> None:
        self._node = node
        self._running: list[subprocess.Popen[str]] = []

    def start(self, name: str, environment: Mapping[str, str]) -> Script:
        process = subprocess.Popen(
            [self._node, str(SCRIPTS / name)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(process)
        return Script(process)

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


@pytest.fixture
def scripts(node: str) -> Iterator[Scripts]:
    scripts = Scripts(node)
    yield scripts
    scripts.stop()
