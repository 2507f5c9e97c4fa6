"""The broker is away for a while: deposits go on, and their events arrive when it returns."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.embedded.kafka import EmbeddedKafka
from socle.testing.stack import Stack, free_ports
from tests.e2e.support import eventually, kafka_environment
from tests.e2e.vendor import Vendor

pytestmark = [
    pytest.mark.stack,
    pytest.mark.postgres,
    pytest.mark.kafka,
    pytest.mark.timeout(400),
    pytest.mark.usefixtures("kafka_bootstrap"),
]
AWAY_SECONDS = 60


@pytest.fixture
def kafka(home: Path) -> Iterator[EmbeddedKafka]:
    """A broker of the test's own, on a port that it keeps."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: a broker of the test's own cannot be started")
    (port,) = free_ports(1)
    with EmbeddedKafka(home / "broker", port=port) as kafka:
        yield kafka


def test_deposits_go_on_for_a_minute_without_it(
    home: Path, kafka: EmbeddedKafka, space: str
) -> None:
    with (
        Stack(home / "stack", kafka_environment(kafka.bootstrap)) as stack,
        Vendor(stack.url, space) as vendor,
    ):
        vendor.prepare()
        vendor.deposit()
        assert eventually(lambda: vendor.count() == 1), stack.last_lines()

        kafka.stop()
        for _ in range(10):
            vendor.deposit()
        time.sleep(AWAY_SECONDS)
        vendor.deposit()
        assert vendor.count() == 1
        assert vendor.readable() == 12
        kafka.start()

        assert eventually(lambda: vendor.count() == 12), stack.last_lines()
