"""The embedded PostgreSQL: started, stopped, killed, and never shared."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import asyncpg
import pytest
from sqlalchemy import make_url

from socle.clock import monotonic
from socle.db.database import driver_arguments
from socle.embedded import postgres
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.postgres import EmbeddedPostgres
from socle.embedded.sockets import socket_folder
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.postgres

PARENT = """
import sys, time
from pathlib import Path
from socle.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])):
    print("READY", flush=True)
    time.sleep(600)
"""
SUPERVISED = """
import sys
from pathlib import Path
from socle.embedded.postgres import EmbeddedPostgres
from socle.supervisor import Supervisor
server = EmbeddedPostgres(Path(sys.argv[1]))
server.prepare()
try:
    code = Supervisor([server.process_spec()], on_ready=lambda: print("READY")).run()
finally:
    server.release()
sys.exit(code)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Not under pytest's folder, which only its owner may enter and whose path is long."""
    folder = Path(tempfile.mkdtemp(prefix="socle-pg-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def execute(server: EmbeddedPostgres, statement: str) -> Any:
    connection = await asyncpg.connect(**driver_arguments(make_url(server.url)))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def start_in_a_process(
    home: Path, script: str, prefix: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    command = [*prefix, sys.executable, "-c", script, str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"READY" not in (line := process.stdout.readline()):
        assert line, "the process ended before its server was ready"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


class TestStart:
    async def test_serves_version_18_with_room_and_with_fsync(self, home: Path) -> None:
        with EmbeddedPostgres(home) as server:
            assert (await execute(server, "SHOW server_version")).startswith("18.")
            assert await execute(server, "SHOW fsync") == "on"
            assert await execute(server, "SHOW synchronous_commit") == "on"
            assert int(await execute(server, "SHOW max_connections")) >= 150
            assert server.sockets.stat().st_mode & 0o777 == 0o700

    async def test_keeps_the_data_when_it_was_stopped(self, home: Path) -> None:
        with EmbeddedPostgres(home) as server:
            await execute(server, "CREATE TABLE kept AS SELECT 42 AS n")
        with EmbeddedPostgres(home) as server:
            assert await execute(server, "SELECT n FROM kept") == 42

    async def test_works_when_the_path_is_too_long_for_a_socket(self, home: Path) -> None:
        long = home / ("d" * 60) / ("e" * 60)
        long.mkdir(parents=True)
        assert socket_folder(long) != long / "run"
        with EmbeddedPostgres(long) as server:
            assert await execute(server, "SELECT 1") == 1
        shutil.rmtree(server.sockets)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
    @pytest.mark.parametrize("identity", ["namespace", "drop"])
    async def test_works_for_root(self, home: Path, identity: Literal["namespace", "drop"]) -> None:
        try:
            with EmbeddedPostgres(home, identity=identity) as server:
                assert await execute(server, "SELECT 1") == 1
        except EmbeddedServerError as error:
            if identity == "namespace" and "namespace" in str(error):
                pytest.skip(f"no user namespaces here: {error}")
            raise

    @pytest.mark.skipif(os.geteuid() != 0, reason="every other test shows it for this user")
    def test_works_for_an_ordinary_user(self, home: Path) -> None:
        """Root takes another number in a user namespace: the home of its Python stays open to it."""
        as_user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        process = start_in_a_process(home, PARENT, as_user)
        try:
            assert (home / "postgres" / "PG_VERSION").exists()
        finally:
            end(process)
        with EmbeddedPostgres(home):
            pass  # and root after it; this also ends the killed one's server

    def test_is_refused_when_the_folder_holds_something_else(self, home: Path) -> None:
        (home / "postgres").mkdir()
        (home / "postgres" / "thesis.txt").write_text("years of work")
        with pytest.raises(EmbeddedServerError, match="holds no PostgreSQL data"):
            EmbeddedPostgres(home).start()
        assert (home / "postgres" / "thesis.txt").read_text() == "years of work"

    def test_is_refused_when_another_version_made_the_data(self, home: Path) -> None:
        (home / "postgres").mkdir()
        (home / "postgres" / "PG_VERSION").write_text("17\n")
        with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 17"):
            EmbeddedPostgres(home).start()

    def test_is_refused_when_another_stack_has_the_home(self, home: Path) -> None:
        with (
            EmbeddedPostgres(home),
            pytest.raises(EmbeddedServerError, match="already runs"),
        ):
            EmbeddedPostgres(home).start()

    async def test_serves_two_homes_at_once(self, home: Path) -> None:
        for name in ("one", "two"):
            (home / name).mkdir()
        with EmbeddedPostgres(home / "one") as one, EmbeddedPostgres(home / "two") as two:
            await execute(one, "CREATE TABLE only_here (n integer)")
            assert await execute(two, "SELECT to_regclass('only_here')") is None


class TestStop:
    def test_follows_the_first_signal_and_leaves_nothing(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Were it not fast, a harsher signal would end it."""
        monkeypatch.setattr(postgres, "STOP_PATIENCE", ((signal.SIGINT, PATIENCE_SECONDS),))
        server = EmbeddedPostgres(home)
        server.start()
        server.stop()
        assert not (home / "postgres" / "postmaster.pid").exists()
        assert not server.accepts_connections()


class TestKill:
    async def test_loses_nothing_committed_when_the_server_is_killed(self, home: Path) -> None:
        with EmbeddedPostgres(home) as server:
            await execute(server, "CREATE TABLE kept AS SELECT 42 AS n")
            os.kill(postmaster(home), signal.SIGKILL)
            deadline = monotonic() + PATIENCE_SECONDS
            while not server.restart_if_dead():
                assert monotonic() < deadline, "the death was not noticed"
                time.sleep(0.05)
            assert await execute(server, "SELECT n FROM kept") == 42
            assert server.restart_if_dead() is False

    async def test_loses_nothing_committed_when_the_parent_is_killed(self, home: Path) -> None:
        process = start_in_a_process(home, PARENT)
        await execute(EmbeddedPostgres(home), "CREATE TABLE kept AS SELECT 42 AS n")
        end(process)
        with EmbeddedPostgres(home) as server:
            assert await execute(server, "SELECT n FROM kept") == 42

    def test_starts_when_the_recorded_process_is_another_program(self, home: Path) -> None:
        with EmbeddedPostgres(home):
            record = (home / "postgres" / "postmaster.pid").read_text()
        stale = "\n".join([str(os.getpid()), *record.splitlines()[1:]])
        (home / "postgres" / "postmaster.pid").write_text(stale + "\n")
        with EmbeddedPostgres(home) as server:
            assert server.accepts_connections()

    async def test_is_followed_by_a_restart_when_it_runs_under_the_supervisor(
        self, home: Path
    ) -> None:
        process = start_in_a_process(home, SUPERVISED)
        try:
            server, first = EmbeddedPostgres(home), postmaster(home)
            await execute(server, "CREATE TABLE kept AS SELECT 42 AS n")
            os.kill(first, signal.SIGKILL)
            deadline = monotonic() + PATIENCE_SECONDS
            while not (server.accepts_connections() and postmaster(home) != first):
                assert monotonic() < deadline, "the server did not come back"
                time.sleep(0.1)
            assert await execute(server, "SELECT n FROM kept") == 42
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
            assert not server.accepts_connections()
        finally:
            end(process)
