"""HEAD wherever a FHIR server has GET, with the same headers and no body (FHIR R4 §3.1.0.18)."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socle.http.context import state_of


class HeadOfFhir:
    """`prefixes` are the paths of FHIR servers; `state["is_head"]` tells that no body will be read."""

    def __init__(self, app: ASGIApp, prefixes: Iterable[str]) -> None:
        self.app = app
        self.prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or not scope["path"].startswith(self.prefixes)
        ):
            await self.app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        state_of(scope)["is_head"] = True
        await self.app({**scope, "method": "GET"}, receive, bodiless)
