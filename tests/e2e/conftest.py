"""A running stack for each event log."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from socle.idgen import random_uuid
from socle.testing.stack import Stack
from tests.e2e.support import kafka_environment


@pytest.fixture
def home() -> Iterator[Path]:
    """For a stack of the test's own: one that it stops, kills, or sets up otherwise."""
    with _folder() as home:
        yield home


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="socle-e2e-") as folder:
        Path(folder).chmod(0o755)  # the server may have to run as another user than root
        yield Path(folder)


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)],
    ids=["embedded", "kafka"],
)
def log_environment(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "embedded":
        return {"SOCLE_EVENTS": "embedded"}
    return kafka_environment(request.getfixturevalue("kafka_bootstrap"))


@pytest.fixture(scope="session")
def kafka_bootstrap() -> str:
    given = os.environ.get("SOCLE_KAFKA_BOOTSTRAP")
    if not given:
        pytest.skip("no Kafka broker: run `make kafka` and set SOCLE_KAFKA_BOOTSTRAP")
    return given


@pytest.fixture(scope="session")
def embedded_stack() -> Iterator[Stack]:
    with _folder() as home, Stack(home, {"SOCLE_EVENTS": "embedded"}) as running:
        yield running


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, log_environment: dict[str, str]) -> Iterator[Stack]:
    """Shared: each test has a space of its own there.

    With Kafka only among the tests of a file: two stacks on one broker are one group of consumers, and
    take each other's events, so it must have ended when a test starts one of its own.
    """
    if log_environment["SOCLE_EVENTS"] == "embedded":
        yield request.getfixturevalue("embedded_stack")
        return
    with _folder() as home, Stack(home, log_environment) as running:
        yield running


@pytest.fixture
def space() -> str:
    return f"e2e-{random_uuid().hex[:12]}"
