"""Real parts for every test: PostgreSQL from the wheel, or the server that the environment names."""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import uvloop

from socle.db.database import Database
from socle.embedded.postgres import EmbeddedPostgres
from socle.idgen import random_uuid
from socle.settings import Settings
from socle.testing.tokens import TokenMint
from tests.databases import new_database
from tests.patience import PATIENCE_SECONDS

# Hypothesis gives each example 200 ms by default, and the drawing of ten a second: on a busy machine that
# measures the machine.
hypothesis.settings.register_profile(
    "socle", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("socle")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Services run on uvloop (socle/http/server.py), so tests do too."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """What could not run on this machine, and why: a green run says what it did not see."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    terminalreporter.section("not run here, and why", sep="-")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count:5d}  {reason}")
    if not reasons:
        terminalreporter.line("Everything was run.")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files go first that may take longest: begun last, one process would end alone with them."""
    patience: dict[Path, float] = {}
    for item in items:
        own = item.get_closest_marker("timeout")
        patience[item.path] = max(patience.get(item.path, 0), own.args[0] if own else 0)
    items.sort(key=lambda item: -patience[item.path])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """CI requires every part: there, a test that was skipped is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and exitstatus == 0 and reporter is not None:
        missed = [r for r in reporter.stats.get("skipped", []) if "SOCLE_SAMPLES" not in _reason(r)]
        if missed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """An SQLAlchemy URL to a server on which databases may be made."""
    given = os.environ.get("SOCLE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="socle-test-") as home:
        Path(home).chmod(0o755)  # the server may have to run as another user than root
        with EmbeddedPostgres(Path(home)) as server:
            yield server.url


@pytest.fixture(scope="session")
async def database_url(postgres_server: str) -> AsyncIterator[str]:
    """A database of this session's own, migrated."""
    async with new_database(postgres_server) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, application="socle-test")
    yield database
    await database.close()


@pytest.fixture
def settings_values(database_url: str) -> dict[str, Any]:
    """Values for any service's settings class. Who is asked runs in the same loop as who asks: on a busy
    machine both may stand still for longer than a service waits by itself."""
    return {
        "database_url": database_url,
        "pseudonym_key": "test-pseudonym-key",
        "dmp_ins_timeout_seconds": PATIENCE_SECONDS,
        "mss_ins_timeout_seconds": PATIENCE_SECONDS,
        "usage_psc_timeout_seconds": PATIENCE_SECONDS,
    }


@pytest.fixture
def settings(settings_values: dict[str, Any]) -> Settings:
    return Settings(**settings_values)


@pytest.fixture(scope="session")
def mint() -> TokenMint:
    return TokenMint()


@pytest.fixture
def space() -> str:
    """A space that no other test uses: tests need no clean-up and can run together."""
    return f"t-{random_uuid().hex[:20]}"
