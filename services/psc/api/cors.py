"""Cross-origin reading of the JSON endpoints, for clients that run in the browser (Fetch standard).

As in Keycloak: discovery and keys are everyone's to read; the answers to a client are read by the
origins of its redirect URIs. No cookie counts at these endpoints, so none is ever allowed.
"""

from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.psc.domain.client import Client, is_loopback
from socle.auth.tokens import REALM_PATH
from socle.http.context import header, state_of

_EVERYONES = ("/.well-known/", "/protocol/openid-connect/certs")
_OF_A_CLIENT = tuple(
    f"/protocol/openid-connect/{name}" for name in ("token", "userinfo", "revoke", "ext/")
)
_CLIENT = "cors_client"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "3600",
    "Vary": "Origin",
}


def answers_to(request: Request, client: Client) -> None:
    """From now on, the answer is this client's to read."""
    state_of(request.scope)[_CLIENT] = client


class CrossOrigin:
    """ASGI middleware, outside everything: refusals are read across origins, too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin") if scope["type"] == "http" else ""
        _, realm, path = scope["path"].partition(REALM_PATH) if origin else ("", "", "")
        if not realm or not path.startswith(_EVERYONES + _OF_A_CLIENT):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            # Which client will ask is not known yet, so every origin may.
            headers = {**_PREFLIGHT, "Access-Control-Allow-Origin": origin}
            await Response(status_code=204, headers=headers)(scope, receive, send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start" and _may_read(scope, path, origin):
                message["headers"] = [
                    *message["headers"],
                    (b"access-control-allow-origin", origin.encode("latin-1")),
                    (b"access-control-expose-headers", b"WWW-Authenticate"),
                    (b"vary", b"Origin"),
                ]
            await send(message)

        await self.app(scope, receive, send_with_origin)


def _may_read(scope: Scope, path: str, origin: str) -> bool:
    """Until a client is known, the answer can only be a refusal, which tells no secret."""
    client: Client | None = state_of(scope).get(_CLIENT)
    if client is None or path.startswith(_EVERYONES):
        return True
    if client.loopback and is_loopback(origin):
        return True
    return origin in {_origin_of(uri) for uri in client.redirect_uris}


def _origin_of(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
