"""A running stack for each event log."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.idgen import random_uuid
from socle.testing.stack import Stack
from tests.e2e.support import kafka_environment


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="socle-e2e-") as folder:
        Path(folder).chmod(0o755)  # the server may have to run as another user than root
        yield Path(folder)


@pytest.fixture(
    params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)], ids=["embedded", "kafka"]
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


@pytest.fixture
def stack(home: Path, log_environment: dict[str, str]) -> Iterator[Stack]:
    with Stack(home, log_environment) as running:
        yield running


@pytest.fixture
def space() -> str:
    return f"e2e-{random_uuid().hex[:12]}"
