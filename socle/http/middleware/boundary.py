"""The outermost layer: nothing leaves unrendered, and no bug leaves with its details."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.db.failures import database_away, is_database_away
from socle.errors import Category, DomainError
from socle.http.context import correlation_id, state_of
from socle.http.render import Dialects
from socle.logs import get_logger

log = get_logger("http")


class ErrorBoundary:
    def __init__(self, app: ASGIApp, dialects: Dialects) -> None:
        self.app = app
        self.dialects = dialects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except DomainError as error:
            await self._answer(error, started, scope, receive, send)
        except ClientDisconnect:  # in the middle of its body: nobody waits for an answer
            log.info("client_gone", path=scope["path"])
        except Exception as error:
            if is_database_away(error):
                log.warning("database_unavailable", error=type(error).__name__)
                await self._answer(database_away(), started, scope, receive, send)
                return
            log.exception("unexpected_error", path=scope["path"])
            fault = DomainError(
                Category.FAULT,
                "internal_error",
                "Socle failed to answer; the correlation id finds the cause in its log.",
            )
            await self._answer(fault, started, scope, receive, send)

    async def _answer(
        self, error: DomainError, started: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if started:  # too late for another answer: the connection must be cut, not ended
            raise error
        state_of(scope)["refusal"] = error
        response = self.dialects(scope["path"])(error, correlation_id.get())
        await response(scope, receive, send)
