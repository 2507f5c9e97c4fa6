"""The Proxy e-Santé for thick clients: /connect, /disconnect, /send, /traces (spec: psc.md §7)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import httpx
import orjson
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.psc.api import exchange
from services.psc.api.client_authentication import thumbprint_of
from services.psc.api.context import CurrentProvider, explicit_space, prefix_of
from services.psc.api.faults import faults_of
from services.psc.domain.esante_proxy import Connection, Origin, ProxyError, ProxySession, trace
from services.psc.domain.refusals import OAuthError
from services.psc.provider import Provider
from services.psc.repository import esante_proxy as rows
from services.psc.service import esante_proxy
from services.psc.service.backends import address_of
from services.psc.service.caller import Caller
from socle.auth.dependencies import RequestSpace
from socle.clock import wall
from socle.db.sessions import ReadSession
from socle.errors import DomainError
from socle.http import client_certificate
from socle.http.control import sandbox_only

COOKIE: Final = "proxy_session_id"
MAX_TRACES: Final = 10_000
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length", "cookie", "authorization",
        "expect", "client-cert", "x-socle-gateway", "forwarded",
    }
)  # fmt: skip
_NOT_RETURNED: Final = _HOP_BY_HOP | {"set-cookie", "content-encoding"}
router = APIRouter(tags=["Proxy e-Santé"])


def render(error: DomainError, _correlation_id: str) -> Response:
    """`code`, `message` and, at /connect, `metadata`; what would be right is Socle's own member."""
    body: dict[str, Any] = {"code": str(error.status), "message": error.detail}
    if isinstance(error, ProxyError) and error.metadata is not None:
        body["metadata"] = error.metadata
    if error.problems:
        body["socle_hint"] = "; ".join(f"{p.path[1:]}: {p.expected}" for p in error.problems)
    return Response(orjson.dumps(body), error.status, error.headers, "application/json")


@router.get("/check/alive")
async def alive() -> PlainTextResponse:
    return PlainTextResponse("OK")


@router.post("/connect")
async def connect(request: Request, provider: CurrentProvider) -> Response:
    asked = Connection.read(_json(await request.body()))
    current = await _current(request, provider)
    if current is not None:
        await _record(request, provider, "CONNECT_REPLAY", current)
        return Response(status_code=304)
    caller = await _caller(request, provider, asked)
    try:
        opened = await esante_proxy.connect(
            provider,
            caller,
            asked,
            provider.issuer(prefix_of(request)),
            exchange.issuer(request, provider),
            request.is_disconnected,
        )
    except (ProxyError, OAuthError) as error:
        await _trace(
            request, provider, "CONNECT_FAILURE", caller.space.name, asked.client_id,
            asked.national_id,
        )  # fmt: skip
        if isinstance(error, OAuthError):
            raise _of_oauth(error, asked) from error
        raise
    await _record(request, provider, "CONNECT_SUCCESS", opened)
    body = {"proxy_session_id": str(opened.id), "session_state": str(opened.session_id)}
    answer = Response(orjson.dumps(body), 200, {"Cache-Control": "no-store"}, "application/json")
    answer.set_cookie(
        COOKIE,
        str(opened.id),
        path="/",
        httponly=True,
        secure=request.headers.get("x-forwarded-proto") == "https",
        samesite="lax",
    )
    return answer


@router.delete("/disconnect")
async def disconnect(request: Request, provider: CurrentProvider) -> Response:
    current = await _current(request, provider)
    if current is None:
        raise ProxyError(401, "Session ID not found.")
    await esante_proxy.disconnect(provider, current)
    await _record(request, provider, "DISCONNECT", current)
    answer = Response(status_code=200)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.api_route("/send/{backend}", methods=_METHODS, include_in_schema=False)
@router.api_route("/send/{backend}/{path:path}", methods=_METHODS, include_in_schema=False)
async def send(request: Request, provider: CurrentProvider, backend: str) -> Response:
    """On to a backend, with the API token in the place of the cookie."""
    # As it was sent: a decoded path would turn an encoded slash into another resource.
    path = "/".join(request.scope["raw_path"].decode("ascii").split("/")[3:])
    current = await _current(request, provider)
    if current is None:
        raise ProxyError(401, "No session found.")
    address = address_of(provider.settings, current.space, backend, path)
    token = await esante_proxy.token_to_send(provider, current, wall())
    if token is None:
        raise ProxyError(401, "No session found.")
    called = {"nomApiPsc": backend, "methode": request.method, "path": request.url.path}
    await _record(request, provider, "SEND", current, called)
    fields = [
        (name, value)
        for name, value in request.headers.items()
        if name not in _HOP_BY_HOP and not name.startswith("x-forwarded-")
    ]
    outgoing = provider.http.build_request(
        request.method,
        httpx.URL(address, query=request.scope["query_string"]),
        headers=[*fields, ("authorization", f"Bearer {token}")],
        content=request.stream(),
    )
    try:
        answer = await provider.http.send(outgoing, stream=True)
    except httpx.TimeoutException as error:
        raise ProxyError(504, f"The backend {backend} has not answered in time.") from error
    except httpx.ConnectError as error:
        raise ProxyError(503, f"The backend {backend} cannot be reached.") from error
    except httpx.HTTPError as error:
        raise ProxyError(502, f"The backend {backend} broke off.") from error
    returned = StreamingResponse(
        _body(answer), answer.status_code, background=BackgroundTask(answer.aclose)
    )
    returned.raw_headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower().decode("latin-1") not in _NOT_RETURNED
    ]
    return returned


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_bytes():
        yield chunk


@router.get("/traces", dependencies=[sandbox_only])
async def traces(
    session: ReadSession,
    space: RequestSpace,
    start: Annotated[AwareDatetime, Query(description="newer than this")],
    end: Annotated[AwareDatetime | None, Query(description="and older than this")] = None,
) -> list[dict[str, Any]]:
    """For the conformity checks: they name sessions, so they exist in sandbox mode only."""
    until: datetime = end or wall()
    return await rows.traces(session, space.name, start, until, MAX_TRACES)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


async def _current(request: Request, provider: Provider) -> ProxySession | None:
    """The cookie's session, where the path names no other space."""
    try:
        id_ = UUID(request.cookies.get(COOKIE, ""))
    except ValueError:
        return None
    found = await esante_proxy.find(provider, id_)
    if found is not None and explicit_space(request) not in (None, found.space):
        return None
    return found


async def _caller(request: Request, provider: Provider, asked: Connection) -> Caller:
    default = provider.settings.default_space
    await provider.kernel.spaces.get(explicit_space(request) or default)
    client = await provider.clients.get(explicit_space(request), asked.client_id)
    if client is None:
        raise ProxyError(
            404, "User National ID or Software Client ID Not Found.", metadata=asked.metadata
        )
    space = await provider.kernel.spaces.get(client.space)
    faults = faults_of(request, provider, space, client.client_id)
    await faults.strike(asked.national_id)
    return Caller(client, thumbprint_of(request, provider), faults)


def _of_oauth(error: OAuthError, asked: Connection) -> ProxyError:
    """An unknown person is "invalid user" to CIBA, and 404 to this contract."""
    if error.detail == "invalid user":
        message = "User National ID or Software Client ID Not Found."
        return ProxyError(404, message, metadata=asked.metadata)
    return ProxyError(401, error.detail, metadata=asked.metadata)


async def _record(
    request: Request,
    provider: Provider,
    type_: Any,
    current: ProxySession,
    called: dict[str, str] | None = None,
) -> None:
    await _trace(
        request, provider, type_, current.space, current.client_id, current.national_id,
        current, called,
    )  # fmt: skip


async def _trace(
    request: Request,
    provider: Provider,
    type_: Any,
    space: str,
    client_id: str,
    national_id: str,
    current: ProxySession | None = None,
    called: dict[str, str] | None = None,
) -> None:
    now = wall()
    document = trace(
        type_,
        _origin(request, provider),
        now,
        client_id=client_id,
        national_id=national_id,
        session=current,
        api_request=called,
    )
    async with provider.kernel.database.write() as session:
        await rows.record(session, space, document, now)


def _origin(request: Request, provider: Provider) -> Origin:
    """The gateway names the caller's address; it knows no port to tell."""
    certificate = client_certificate.presented(request.scope, provider.settings)
    dn = None if certificate is None else certificate.subject.rfc4514_string()
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if forwarded:
        return Origin(forwarded[:64], (), dn)
    client = request.client
    return Origin(client.host, (client.port,), dn) if client else Origin("unknown", (), dn)
