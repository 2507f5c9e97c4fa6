"""The hooks of a space on its requests: injected faults before, a journal entry after."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.clock import monotonic, wall
from socle.errors import DomainError
from socle.http.context import correlation_id, state_of
from socle.http.faults import RequestFaults
from socle.http.journal import Entry, Journal
from socle.kernel import Kernel

# The control plane repairs what a fault breaks, so no fault may touch it.
_EXEMPT = ("/_sandbox", "/livez", "/readyz", "/metrics")


class Observation:
    """`kernel_of` is called per request, since the kernel is built after the middleware."""

    def __init__(self, app: ASGIApp, service: str, journal: Journal) -> None:
        self.app = app
        self.journal = journal
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_EXEMPT):
            await self.app(scope, receive, send)
            return
        state = state_of(scope)
        started, status = monotonic(), 500
        default_space = None

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if struck := state.get("faults"):
                    named = (b"x-socle-fault", ", ".join(struck).encode())
                    message["headers"] = [*message["headers"], named]
                if warnings := state.get("warnings"):
                    rules = ", ".join(dict.fromkeys(one.rule for one in warnings))
                    named = (b"x-socle-warning", rules.encode())
                    message["headers"] = [*message["headers"], named]
            await send(message)

        try:
            kernel: Kernel = scope["app"].state.kernel
            default_space = kernel.settings.default_space
            space = await kernel.spaces.get(state.get("space") or default_space)
            if space.faults:
                await RequestFaults(kernel.faults, self.service, space, scope).on_the_wire()
            await self.app(scope, receive, watched_send)
        except DomainError as error:
            state["refusal"], status = error, error.status
            if struck := state.get("faults"):
                error.headers = {**error.headers, "X-Socle-Fault": ", ".join(struck)}
            raise
        finally:
            refusal: DomainError | None = state.get("refusal")
            self.journal.add(
                Entry(
                    at=wall(),
                    space=state.get("space_of_caller") or state.get("space") or default_space,
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round((monotonic() - started) * 1000, 2),
                    correlation_id=correlation_id.get(),
                    refusal=refusal.code if refusal else None,
                    problems=refusal.problems if refusal else tuple(state.get("warnings", ())),
                    faults=tuple(state.get("faults", ())),
                )
            )
