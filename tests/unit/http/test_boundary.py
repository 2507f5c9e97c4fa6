"""What leaves a service that fails, and what its log says of it."""

import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from socle.http.middleware.boundary import ErrorBoundary
from socle.http.render import Dialects
from socle.logs import configure_logging, get_logger
from socle.settings import Settings

SECRET = "279035121518989"


async def served(messages: list[Message]) -> list[Message]:
    """The answer to a body that comes as these messages."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        await Request(scope, receive).body()
        raise AssertionError

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/x", "headers": []}
    await ErrorBoundary(app, Dialects({}))(scope, receive, send)
    return sent


async def test_a_client_that_goes_away_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """It is usual, nobody waits for an answer, and a traceback for each would fill the log."""
    begun: Message = {"type": "http.request", "body": b"<a>", "more_body": True}
    assert await served([begun, {"type": "http.disconnect"}]) == []
    assert "unexpected_error" not in capsys.readouterr().out


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    level = logging.getLogger().level
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.usefixtures("logging_as_before")
def test_the_log_of_a_fault_holds_no_local_variable(
    log_format: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(log_format=log_format), "dmp")
    structlog.configure(cache_logger_on_first_use=False)
    try:
        _fail({"body": SECRET})
    except RuntimeError:
        get_logger("test").exception("unexpected_error")
    written = capsys.readouterr().out
    assert "unexpected_error" in written
    assert "RuntimeError: it failed" in written
    assert SECRET not in written
    assert len(written) < 5_000


def _fail(local: dict[str, str]) -> None:
    assert local
    raise RuntimeError("it failed")
