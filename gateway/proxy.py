"""Passes a request on to its service and the answer back, both as they come."""

import aiohttp
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import headers, routes
from gateway.access import admit
from gateway.body import ClientBody, ClientGoneError
from gateway.context import Gateway, gateway_of
from gateway.disconnect import cancelled_when_client_leaves
from gateway.routes import Route
from gateway.target import target_of
from socle.errors import Category, DomainError
from socle.http.context import correlation_id

CLIENT_CLOSED_REQUEST = 499
"""Known from nginx; no RFC has a status for an answer that nobody waits for."""


class Proxy:
    """ASGI middleware: takes the paths of the table, leaves the gateway's own to the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = routes.find(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        gateway = gateway_of(scope["app"])
        await admit(route, scope, gateway.verifier)
        client = ClientBody(scope, receive, gateway.settings.gateway_silence_seconds)
        answered = False
        try:
            async with cancelled_when_client_leaves(client):
                answer = await _ask(gateway, route, scope, client)
                answered = True
                await _give_back(answer, route, client, send)
        except ClientGoneError:
            if not answered:  # nobody reads it, but the journal and the metrics count it
                await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)


async def _ask(
    gateway: Gateway, route: Route, scope: Scope, client: ClientBody
) -> aiohttp.ClientResponse:
    fields = headers.forwarded(scope, correlation_id.get(), gateway.settings)
    if client.length:
        fields["Content-Length"] = client.length
    try:
        return await gateway.upstreams.send(
            route.service,
            scope["method"],
            target_of(scope),
            fields,
            client.pieces(),
            _patience(gateway, route),
        )
    except aiohttp.ClientConnectorError as error:
        raise unreachable(route.service) from error
    except TimeoutError as error:
        raise silent(route.service) from error
    except aiohttp.ClientError as error:
        if client.failure is not None:
            raise client.failure from error
        raise broken(route.service) from error


def _patience(gateway: Gateway, route: Route) -> aiohttp.ClientTimeout | None:
    if route.patience_seconds is None:
        return None
    return aiohttp.ClientTimeout(
        total=None,
        sock_connect=gateway.settings.gateway_connect_seconds,
        sock_read=route.patience_seconds,
    )


async def _give_back(
    answer: aiohttp.ClientResponse, route: Route, client: ClientBody, send: Send
) -> None:
    """An answer that ends early is cut for the caller too: an end would make it look whole."""
    content = answer.content
    try:
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": headers.returned(answer.raw_headers),
            }
        )
        while True:
            chunk = await content.readany()
            more = not content.at_eof()
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
            if not more:
                return
    except (aiohttp.ClientError, TimeoutError) as error:
        if client.failure is not None:
            raise client.failure from error
        raise broken(route.service) from error
    finally:
        answer.close()  # no effect on one that was read to its end


def unreachable(service: str) -> DomainError:
    return DomainError(
        Category.UNAVAILABLE,
        "service_unreachable",
        f"The service {service} cannot be reached from the gateway; GET /readyz says which are up.",
        headers={"Retry-After": "2"},
    )


def silent(service: str) -> DomainError:
    return DomainError(
        Category.UNAVAILABLE,
        "service_silent",
        f"The service {service} has not answered in time; whether it acted is not known.",
        status=504,
    )


def broken(service: str) -> DomainError:
    return DomainError(
        Category.UNAVAILABLE,
        "service_broke_off",
        f"The service {service} closed the connection before its answer was complete;"
        " whether it acted is not known.",
        status=502,
    )
