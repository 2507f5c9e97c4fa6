"""The two event logs for tests that must hold on both, and the broker that one of them needs."""

import os
from collections.abc import AsyncIterator

import pytest

from socle.db.database import Database
from socle.events.embedded_log import EmbeddedLog
from socle.events.kafka_log import KafkaLog
from socle.events.log import EventLog


@pytest.fixture(scope="session")
def kafka_bootstrap() -> str:
    """A real broker. Only its absence on a developer's machine is a reason to skip."""
    given = os.environ.get("SOCLE_KAFKA_BOOTSTRAP")
    if given:
        return given
    reason = "no Kafka broker: run `make kafka` and set SOCLE_KAFKA_BOOTSTRAP"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI requires one")
    pytest.skip(reason)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
async def event_log(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[EventLog]:
    if request.param == "embedded":
        yield EmbeddedLog(database)
        return
    log = KafkaLog(request.getfixturevalue("kafka_bootstrap"), client="socle-test")
    yield log
    await log.close()
