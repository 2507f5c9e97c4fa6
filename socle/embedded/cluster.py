"""Makes a database cluster: whole, or not at all."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from socle.embedded.binaries import MAJOR_VERSION, Binaries
from socle.embedded.errors import EmbeddedServerError
from socle.embedded.identity import Choice
from socle.embedded.launch import Launch

USER = DATABASE = "socle"
UNFINISHED = "postgres.new-"
INITDB_TIMEOUT = 120

# The locale C.UTF-8 that PostgreSQL carries itself: the same order of strings on every system, so
# that an index made on one machine is right on another.
INITDB_OPTIONS = (
    f"--username={USER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--auth-local=trust",  # the socket's folder is private to one user of the machine
    "--auth-host=reject",
    "--no-instructions",
    "--no-sync",  # once, at the end
)
ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C", "PGTZ": "UTC"}


def ensure_cluster(binaries: Binaries, home: Path, data: Path, identity: Choice) -> None:
    """Makes the cluster where there is none, and refuses a folder that is not one of ours."""
    _remove_unfinished(home)
    if not data.exists() or not any(data.iterdir()):
        _create(binaries, home, data, identity)
        return
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedServerError(
            f"{data} exists but holds no PostgreSQL data. Move it away, or choose another folder "
            "with SOCLE_HOME."
        ) from None
    if version != MAJOR_VERSION:
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {version}, and this is PostgreSQL {MAJOR_VERSION}. Move "
            "it away to start with an empty one, or serve it yourself and give SOCLE_DATABASE_URL."
        )


def _remove_unfinished(home: Path) -> None:
    """What an interrupted initdb left; each has a name of its own, so one still running harms nobody."""
    for folder in home.glob(f"{UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _create(binaries: Binaries, home: Path, data: Path, identity: Choice) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home))

    def run(*program: str, standard_input: str = "") -> None:
        launch = Launch(home, unfinished, unfinished, program, identity=identity)
        _run(launch.command(), standard_input)

    try:
        run(str(binaries.initdb), "--pgdata", str(unfinished), *INITDB_OPTIONS)
        run(
            *(str(binaries.postgres), "--single", "-D", str(unfinished), "postgres"),
            standard_input=f"CREATE DATABASE {DATABASE}\n",
        )
        run(str(binaries.initdb), "--pgdata", str(unfinished), "--sync-only")
        unfinished.rename(data)
        _sync_folder(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run(command: list[str], standard_input: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a command of ours, without a shell
            command,
            input=standard_input,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INITDB_TIMEOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(
            f"PostgreSQL did not make its data folder within {INITDB_TIMEOUT} s."
        ) from error
    # Single-user mode reports a failed statement on its output alone.
    if done.returncode != 0 or "ERROR:" in done.stdout or "FATAL:" in done.stdout:
        said = "\n".join(done.stdout.strip().splitlines()[-8:])
        raise EmbeddedServerError(f"PostgreSQL could not make its data folder:\n{said}")


def _sync_folder(folder: Path) -> None:
    """Makes the new name of the cluster survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
