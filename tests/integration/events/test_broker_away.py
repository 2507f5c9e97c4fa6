"""The broker goes away: facts are still accepted, and their events arrive when it returns."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from socle.events.kafka_log import KafkaLog
from socle.events.log import LogUnavailableError
from socle.metrics import RELAY_FAILURES

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


class Door:
    """A port that refuses connections until it is opened, and then leads to the broker."""

    def __init__(self, bootstrap: str) -> None:
        host, _, port = bootstrap.split(",")[0].rpartition(":")
        self._target = (host, int(port))
        self._reserved = socket.socket()
        self._reserved.bind(("127.0.0.1", 0))  # bound without listening: connections are refused
        self.bootstrap = f"127.0.0.1:{self._reserved.getsockname()[1]}"
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._lead, sock=self._reserved)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._reserved.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@pytest.fixture
async def door(kafka_bootstrap: str) -> AsyncIterator[Door]:
    door = Door(kafka_bootstrap)
    yield door
    door.close()


@pytest.fixture
async def away(door: Door) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(door.bootstrap, client="socle-test")
    yield log
    await log.close()


class TestRelay:
    async def test_sends_everything_when_the_broker_returns(
        self, make_scene: Any, running: Any, kafka_bootstrap: str, door: Door, away: KafkaLog
    ) -> None:
        reading = KafkaLog(kafka_bootstrap, client="socle-test")
        scene = make_scene(reading)
        failures = RELAY_FAILURES.labels("usage")._value.get()

        async def has_failed_twice() -> bool:
            return bool(RELAY_FAILURES.labels("usage")._value.get() >= failures + 2)

        async with running(scene.relay(away), scene.consumer()):
            await scene.publish(*(scene.event("a", number) for number in range(3)))
            await scene.until(has_failed_twice)
            await scene.publish(scene.event("a", 3))
            assert await scene.waiting() == 4
            await door.open()
            await scene.until_seen(4)
        assert await scene.seen() == [("a", number) for number in range(4)]


class TestLog:
    async def test_says_that_it_is_unavailable(self, away: KafkaLog) -> None:
        with pytest.raises(LogUnavailableError):
            await away.append([])
        with pytest.raises(LogUnavailableError):
            await away.read("socle.psc.sessions", 0, 1)
