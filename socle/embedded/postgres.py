"""PostgreSQL 18 without an installation: the binaries come from a wheel, the data lies in the home.

with EmbeddedPostgres(Path(".socle")) as server:      # tests and tools
    connect(server.url)

server.prepare()                                      # under a supervisor
Supervisor([server.process_spec(), ...]).run()   # which restarts it when it dies
server.release()
"""

import asyncio
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

from socle.clock import monotonic
from socle.embedded.binaries import find_binaries
from socle.embedded.cluster import DATABASE, ENVIRONMENT, USER, ensure_cluster
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.identity import Choice
from socle.embedded.launch import Launch
from socle.embedded.locks import OwnerLock
from socle.embedded.orphans import take_server_lock
from socle.embedded.sockets import PORT, accepts_connections, make_private, socket_folder
from socle.supervisor import ProcessSpec

# Durability is promised: fsync, synchronous_commit and full_page_writes keep their default, on.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    # Nothing replicates from a laptop; without it there is less to write and no idle process.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Reads come from the page cache, where three I/O workers would only cost memory.
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Errors of statements carry values (a key that exists, a text that is no number), which may
    # be of a patient: the client gets them whole, the log gets none.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# A fast shutdown writes a checkpoint; the immediate one that may follow is as safe as a power cut.
STOP_PATIENCE = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))


class EmbeddedPostgres:
    """One server, whose home belongs to one process at a time."""

    def __init__(self, home: Path, *, identity: Choice = "auto") -> None:
        """`identity` other than "auto" forces one way for root to run a server (identity.py)."""
        self.home = home.expanduser().absolute()
        self.data = self.home / "postgres"
        self.sockets = socket_folder(self.home)
        self.log_file = self.home / "logs" / "postgres.log"
        self._identity: Choice = identity
        self._lock = OwnerLock(self.home / "lock")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For SQLAlchemy, whether or not the server runs yet."""
        return f"postgresql+asyncpg://{USER}@/{DATABASE}?host={quote(str(self.sockets))}"

    def prepare(self) -> None:
        """Takes the home for this process and makes the cluster where there is none."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._take_home()
            binaries = find_binaries()
            make_private(self.sockets, self.home)
            ensure_cluster(binaries, self.home, self.data, self._identity)
            # The launcher ends leftovers too; here it keeps a readiness probe from meeting one.
            os.close(take_server_lock(self._server_lock, self.data))
        except OSError as error:
            self.release()
            raise EmbeddedServerError(
                f"{self.home} cannot be used: {error}. Make it yours, or choose another folder with "
                "SOCLE_HOME."
            ) from error
        except BaseException:
            self.release()
            raise

    def _take_home(self) -> None:
        if not self._lock.acquire():
            raise EmbeddedServerError(
                f"Socle already runs on {self.home} (process {self._lock.holder() or 'unknown'}). "
                "Stop it first, or choose another folder with SOCLE_HOME."
            )

    def release(self) -> None:
        """Gives the home back; the supervisor has stopped the server by then."""
        self._lock.release()

    @property
    def _server_lock(self) -> Path:
        return self.home / "postgres.lock"

    def command(self) -> list[str]:
        """Runs the server in the foreground; it logs on standard error."""
        if not self._lock.held:
            raise RuntimeError("prepare() has not taken the home for this process")
        settings = {**SERVER_SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = [str(find_binaries().postgres), "-D", str(self.data), *options]
        return Launch(
            self.home, self.data, self.sockets, program, self._server_lock, self._identity
        ).command()

    def process_spec(self, name: str = "postgres") -> ProcessSpec:
        return ProcessSpec(
            name=name,
            argv=self.command(),
            env=ENVIRONMENT,
            probe=self.is_ready,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    async def is_ready(self) -> bool:
        return await asyncio.to_thread(self.accepts_connections)

    def accepts_connections(self) -> bool:
        return accepts_connections(self.sockets, USER, DATABASE)

    def start(self, timeout: float = 60.0) -> None:
        """Starts the server for this process alone, and waits until it answers."""
        self.prepare()
        try:
            self._launch()
            self.wait_ready(timeout)
        except BaseException:
            self.stop()
            raise

    def restart_if_dead(self, timeout: float = 60.0) -> bool:
        """For a stack without the supervisor: whether the server of `start` had died."""
        if self._process is None or self._process.poll() is None:
            return False
        self._launch()
        self.wait_ready(timeout)
        return True

    def _launch(self) -> None:
        self.log_file.parent.mkdir(exist_ok=True)
        # The kernel watches the thread that forks: only the main one lives as long as the process.
        in_main_thread = threading.current_thread() is threading.main_thread()
        command = self.process_spec().launch_command() if in_main_thread else self.command()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours, without a shell
                command,
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Until the server answers; raises when it ended or takes too long."""
        deadline = monotonic() + timeout
        while not self.accepts_connections():
            if self._process is not None and self._process.poll() is not None:
                raise EmbeddedServerError(f"PostgreSQL did not start:\n{self._last_log_lines()}")
            if monotonic() > deadline:
                raise EmbeddedServerError(
                    f"PostgreSQL does not answer after {timeout:g} s:\n{self._last_log_lines()}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server of `start`, waits until none of its processes is left, gives the home back."""
        process, self._process = self._process, None
        try:
            if process is not None:
                _end(process)
                os.close(take_server_lock(self._server_lock, self.data))
        finally:
            self.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _last_log_lines(self) -> str:
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])
        except FileNotFoundError:
            return f"(nothing in {self.log_file})"


def _end(process: subprocess.Popen[bytes]) -> None:
    for stop_signal, patience in STOP_PATIENCE:
        process.send_signal(stop_signal)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
    raise EmbeddedServerError(f"PostgreSQL (process {process.pid}) cannot be ended.")
