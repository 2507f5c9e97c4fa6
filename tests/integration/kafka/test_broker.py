"""A broker of the test's own: started, killed, paused, stopped."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.embedded.kafka import EmbeddedKafka, answers
from socle.events.kafka_log import KafkaLog
from socle.events.log import LogUnavailableError, Record
from socle.testing.stack import free_ports
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("kafka_bootstrap")]

TOPIC = "socle.psc.sessions"
SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "kafka"


@pytest.fixture(scope="module")
def kafka() -> Iterator[EmbeddedKafka]:
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: a broker of the test's own cannot be started")
    with (
        tempfile.TemporaryDirectory(prefix="socle-kafka-") as home,
        EmbeddedKafka(Path(home), port=free_ports(1)[0]) as kafka,
    ):
        yield kafka


def event_log(kafka: EmbeddedKafka) -> KafkaLog:
    return KafkaLog(kafka.bootstrap, client="socle-test", partitions=1)


async def values(kafka: EmbeddedKafka) -> list[bytes]:
    log = event_log(kafka)
    await log.ensure_topics()
    return [stored.record.value for stored in await log.read(TOPIC, 0, 1000)]


async def append_at_last(log: KafkaLog, records: list[Record]) -> None:
    """As the relay does: a broker that wakes up may refuse for a moment longer."""
    async with asyncio.timeout(2 * PATIENCE_SECONDS):  # one attempt may take half a minute
        while True:
            try:
                return await log.append(records)
            except LogUnavailableError:
                await asyncio.sleep(0.5)


class TestKill:
    async def test_loses_nothing_acknowledged(self, kafka: EmbeddedKafka) -> None:
        log = event_log(kafka)
        await log.append([Record(TOPIC, "k", b"kept")])
        await log.close()
        first = kafka.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        kafka.stop()
        assert not answers(kafka.bootstrap)
        kafka.start(dies_with_parent=True)
        assert kafka.pid != first
        assert b"kept" in await values(kafka)


class TestPause:
    async def test_makes_the_log_unavailable_until_the_broker_goes_on(
        self, kafka: EmbeddedKafka
    ) -> None:
        """The producer that met the pause is given up; the next one sends the records again."""
        log = event_log(kafka)
        await log.append([Record(TOPIC, "k", b"before")])
        assert kafka.pid is not None
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            with pytest.raises(LogUnavailableError):
                await log.append([Record(TOPIC, "k", b"meanwhile")])
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        await append_at_last(log, [Record(TOPIC, "k", b"meanwhile"), Record(TOPIC, "k", b"after")])
        await log.close()
        kept = [value for value in await values(kafka) if value != b"kept"]
        assert list(dict.fromkeys(kept)) == [b"before", b"meanwhile", b"after"]


class TestCommand:
    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOCLE_")}
        return subprocess.run(
            [str(SCRIPT), *arguments], env=kept | variables, capture_output=True, text=True
        )

    def test_looks_at_the_broker_that_the_environment_names(self, kafka_bootstrap: str) -> None:
        done = self.run("start", SOCLE_KAFKA_BOOTSTRAP=kafka_bootstrap)
        assert done.returncode == 0
        assert done.stdout == f"SOCLE_KAFKA_BOOTSTRAP={kafka_bootstrap}\n"

    def test_says_what_to_do_when_that_broker_does_not_answer(self) -> None:
        done = self.run("start", SOCLE_KAFKA_BOOTSTRAP="127.0.0.1:1")
        assert done.returncode == 1
        assert "no broker answers at 127.0.0.1:1" in done.stderr

    def test_says_what_to_do_when_java_is_missing(self, tmp_path: Path) -> None:
        (tmp_path / "kafka" / "libs").mkdir(parents=True)
        path = tmp_path / "bin"
        path.mkdir()
        for tool in ("dirname", "sh"):
            (path / tool).symlink_to(shutil.which(tool) or tool)
        done = self.run("start", SOCLE_HOME=str(tmp_path), PATH=str(path))
        assert done.returncode == 1
        assert "which is not on the PATH" in done.stderr

    def test_finds_nothing_to_stop_when_none_runs(self, tmp_path: Path) -> None:
        started = time.monotonic()
        done = self.run("stop", SOCLE_HOME=str(tmp_path))
        assert done.returncode == 0
        assert "does not run" in done.stderr
        assert time.monotonic() - started < 10
