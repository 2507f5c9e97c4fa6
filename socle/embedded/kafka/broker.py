"""The life of the broker: formatted, started, waited for, stopped, also after a crash of anything."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Self

from socle.clock import monotonic
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.kafka.answers import answers
from socle.embedded.kafka.jars import ensure_jars, java_command
from socle.embedded.kafka.properties import HOST, server_properties
from socle.embedded.locks import try_lock
from socle.idgen import random_uuid
from socle.supervisor import ProcessSpec

DEFAULT_PORT = 9092
CONTROLLER_PORT = 9093
HEAP = "512m"
STOP_PATIENCE = ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0))


class EmbeddedKafka:
    """One broker in `<home>/kafka`. It outlives its starter, unless used as a context manager."""

    def __init__(self, home: Path, *, port: int = DEFAULT_PORT, libs: Path | None = None) -> None:
        """`port` 0 takes a free one at the start; `libs` shares jars between homes."""
        self.folder = home.expanduser().absolute() / "kafka"
        self.libs = libs or self.folder / "libs"
        self.log_file = self.folder / "kafka.log"
        self._data = self.folder / "data"
        self._properties = self.folder / "server.properties"
        self._pid_file = self.folder / "kafka.pid"
        self._lock = self.folder / "broker.lock"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Of the running broker, otherwise of the one that `start` would start."""
        return f"{HOST}:{self._running_port() or self._port}"

    @property
    def running(self) -> bool:
        """The broker holds a lock while it lives; a pid file alone proves nothing."""
        if not self._lock.exists():
            return False
        descriptor = try_lock(self._lock)
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    @property
    def pid(self) -> int | None:
        """Of the running broker."""
        recorded = self._recorded()
        return recorded[0] if recorded and self.running else None

    def start(self, timeout: float = 60.0, *, dies_with_parent: bool = False) -> None:
        """Starts the broker where none runs, and waits until clients can use it."""
        ensure_jars(self.libs)
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = try_lock(self._lock, shared_with_children=True)
        if lock is not None:
            try:
                self._launch(lock, dies_with_parent)
            finally:
                os.close(lock)  # the broker has inherited it
        try:
            self._wait_until_usable(timeout)
        except BaseException:
            if lock is not None:
                self.stop()
            raise

    def stop(self) -> bool:
        """Ends the broker in good order; False where none ran."""
        was_running = self.running
        for stop_signal, patience in STOP_PATIENCE:
            if not self.running:
                break
            self._signal(stop_signal)
            self._wait_until_ended(patience)
        if self.running:
            raise EmbeddedServerError(f"Kafka (process {self.pid or 'unknown'}) cannot be ended.")
        self._pid_file.unlink(missing_ok=True)
        if self._process is not None:
            self._process.wait(5)
            self._process = None
        return was_running

    def __enter__(self) -> Self:
        self.start(dies_with_parent=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, lock: int, dies_with_parent: bool) -> None:
        self._pid_file.unlink(missing_ok=True)
        self._port = self._port or _free_port()
        if not _is_free(self._port):
            raise EmbeddedServerError(
                f"Port {self._port} is taken by another program. If that is a Kafka broker, use it "
                f"with SOCLE_KAFKA_BOOTSTRAP={HOST}:{self._port}; otherwise choose another port "
                "with SOCLE_KAFKA_PORT."
            )
        controller = CONTROLLER_PORT
        if controller == self._port or not _is_free(controller):
            controller = _free_port()
        self._format(controller)
        self._properties.write_text(server_properties(self._data, self._port, controller))
        command = [
            *java_command(self.libs, heap=HEAP, properties={"kafka.logs.dir": str(self.folder)}),
            *("kafka.Kafka", str(self._properties)),
        ]
        if dies_with_parent:
            command = ProcessSpec("kafka", command).launch_command()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours, without a shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._process.pid} {self._port}\n")

    def _format(self, controller_port: int) -> None:
        """Whole, or not at all: under another name until it is complete."""
        for left in self.folder.glob("data.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        if self._data.exists():
            return
        unfinished = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.folder))
        try:
            properties = unfinished / "format.properties"
            properties.write_text(server_properties(unfinished, self._port, controller_port))
            done = subprocess.run(  # noqa: S603 - a command of ours, without a shell
                [
                    *java_command(self.libs, heap="128m"),
                    *("kafka.tools.StorageTool", "format", "--standalone"),
                    *("--cluster-id", _cluster_id(), "--config", str(properties)),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise EmbeddedServerError(
                    f"Kafka could not format its folder:\n{done.stderr[-2000:]}"
                )
            properties.unlink()
            unfinished.rename(self._data)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _wait_until_usable(self, timeout: float) -> None:
        deadline = monotonic() + timeout
        while not answers(self.bootstrap):
            if not self.running:
                raise EmbeddedServerError(f"Kafka ended at its start:\n{self._last_log_lines()}")
            if monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Kafka cannot be used after {timeout:g} s:\n{self._last_log_lines()}"
                )
            time.sleep(0.2)

    def _wait_until_ended(self, patience: float) -> None:
        deadline = monotonic() + patience
        while self.running and monotonic() < deadline:
            time.sleep(0.1)

    def _signal(self, stop_signal: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            raise EmbeddedServerError(
                f"A Kafka broker runs in {self.folder}, and {self._pid_file} does not tell its "
                "process. End the java process that has this folder on its command line."
            )
        with suppress(ProcessLookupError):
            os.kill(pid, stop_signal)

    def _recorded(self) -> tuple[int, int] | None:
        try:
            pid, port = self._pid_file.read_text().split()
            return int(pid), int(port)
        except (FileNotFoundError, ValueError):
            return None

    def _running_port(self) -> int | None:
        recorded = self._recorded()
        return recorded[1] if recorded and self.running else None

    def _last_log_lines(self) -> str:
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-15:])
        except FileNotFoundError:
            return f"(nothing in {self.log_file})"


def _cluster_id() -> str:
    """As Kafka writes a UUID: 22 characters of URL-safe base64. A leading dash would be an option."""
    text = urlsafe_b64encode(random_uuid().bytes).decode().rstrip("=")
    return text if text[0] != "-" else _cluster_id()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
