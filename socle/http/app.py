"""The application factory: every service is built the same way around its own routes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from socle import __version__
from socle.errors import Category, DomainError
from socle.http import control, health
from socle.http.context import correlation_id, state_of
from socle.http.journal import Journal
from socle.http.middleware.boundary import ErrorBoundary
from socle.http.middleware.coding import ContentDecoding
from socle.http.middleware.correlation import Correlation
from socle.http.middleware.fhir_xml import FhirXmlAnswers, FhirXmlRequests
from socle.http.middleware.head import HeadOfFhir
from socle.http.middleware.limits import BodyLimit, InFlightLimit
from socle.http.middleware.observation import Observation
from socle.http.middleware.paths import TrailingSlash
from socle.http.middleware.space import SpaceOfPath
from socle.http.render import Dialects, Renderer
from socle.kernel import Kernel
from socle.logs import get_logger
from socle.problems import Problem
from socle.settings import Settings
from socle.spaces import Seed

Worker = Callable[[Kernel], Awaitable[None]]
Resource = Callable[[Kernel, FastAPI], AbstractAsyncContextManager[None]]
log = get_logger("http.app")


@dataclass(frozen=True)
class ServiceSpec:
    """What makes one service itself.

    `workers` (relay, consumers) run inside the web process when SOCLE_WORKERS=inline; `resources`
    are opened at start and closed at stop, in order.
    """

    name: str
    title: str
    routers: Sequence[APIRouter]
    seed: Seed | None = None
    dialects: Mapping[str, Renderer] = field(default_factory=dict)
    workers: Mapping[str, Worker] = field(default_factory=dict)
    resources: Sequence[Resource] = ()
    max_body_bytes: int | None = None
    body_limits: Mapping[str, int] = field(default_factory=dict)
    fhir: Sequence[str] = ()
    """Paths of FHIR servers, which then speak XML and HEAD as well."""
    slashes: Sequence[str] = ()
    """Paths of APIs where a slash at the end means nothing."""


def create_app(spec: ServiceSpec, settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kernel = Kernel.build(spec.name, settings, spec.seed)
        app.state.kernel = kernel
        async with AsyncExitStack() as stack:
            stack.push_async_callback(kernel.close)
            for resource in spec.resources:
                await stack.enter_async_context(resource(kernel, app))
            if settings.workers == "inline":
                await stack.enter_async_context(running_workers(kernel, spec.workers))
            yield

    app = FastAPI(
        title=spec.title,
        version=__version__,
        lifespan=lifespan,
        docs_url=f"/_sandbox/{spec.name}/docs",
        openapi_url=f"/_sandbox/{spec.name}/openapi.json",
        redoc_url=None,
    )
    routers = (*spec.routers, control.router, health.router)
    for router in routers:
        app.include_router(router)
    dialects = Dialects(spec.dialects)
    handle_errors(app, dialects, routers, spec.fhir)
    app.state.journal = Journal(settings.journal_size)
    # The last added is the outermost.
    if spec.fhir:
        app.add_middleware(FhirXmlRequests, prefixes=spec.fhir)
        app.add_middleware(HeadOfFhir, prefixes=spec.fhir)
    app.add_middleware(Observation, service=spec.name, journal=app.state.journal)
    app.add_middleware(
        BodyLimit,
        limit=spec.max_body_bytes or settings.max_body_bytes,
        by_path=spec.body_limits,
        total=settings.max_held_bytes,
    )
    app.add_middleware(ContentDecoding)
    app.add_middleware(TrailingSlash, prefixes=spec.slashes)
    app.add_middleware(SpaceOfPath)
    app.add_middleware(InFlightLimit, service=spec.name, limit=settings.max_in_flight)
    app.add_middleware(ErrorBoundary, dialects=dialects)
    if spec.fhir:
        app.add_middleware(FhirXmlAnswers, prefixes=spec.fhir)
    app.add_middleware(Correlation, service=spec.name)
    return app


@asynccontextmanager
async def running_workers(kernel: Kernel, workers: Mapping[str, Worker]) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(_kept_running(name, worker, kernel), name=name)
        for name, worker in workers.items()
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_running(name: str, worker: Worker, kernel: Kernel) -> None:
    """A worker that fails is a bug: it is shown, and the work goes on."""
    while True:
        try:
            await worker(kernel)
        except Exception:
            log.exception("worker_failed", worker=name)
        await asyncio.sleep(1)


def handle_errors(
    app: FastAPI,
    dialects: Dialects,
    routers: Sequence[APIRouter] = (),
    fhir: Sequence[str] = (),
) -> None:
    """`routers` are those of the application; `fhir` the paths of servers that describe themselves."""

    def answer(request: Request, error: DomainError) -> Response:
        state_of(request.scope)["refusal"] = error
        return dialects(request.url.path)(error, correlation_id.get())

    @app.exception_handler(DomainError)
    async def domain_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, _from_validation(error))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            return answer(request, _not_allowed(error, request, routers))
        return answer(request, _from_http(error, request, fhir))


def _from_validation(error: RequestValidationError) -> DomainError:
    problems = [
        Problem(
            rule=f"JSON-{str(entry['type']).upper().replace('_', '-')}",
            path="/" + "/".join(str(part) for part in entry["loc"]),
            message=str(entry["msg"]),
            expected=_expected(entry.get("ctx")),
        )
        for entry in error.errors()
        if not _follows(entry, error)
    ]
    return DomainError(
        Category.INCORRECT,
        "invalid_request_body",
        f"The request is not as described in the OpenAPI document ({len(problems)} problems).",
        problems=problems,
    )


def _follows(entry: Any, error: RequestValidationError) -> bool:
    """A list whose items were refused is not too short as well, as pydantic has it."""
    loc = tuple(entry["loc"])
    return entry["type"] == "too_short" and any(
        len(it["loc"]) > len(loc) and tuple(it["loc"][: len(loc)]) == loc for it in error.errors()
    )


# Words of the validator's own: the class in the code, and what the message says already.
_NOT_EXPECTED = frozenset({"error", "class_name", "field_type", "actual_length"})


def _expected(context: Any) -> str:
    if not isinstance(context, dict):
        return ""
    return ", ".join(f"{key} {value}" for key, value in context.items() if key not in _NOT_EXPECTED)


def _from_http(error: HTTPException, request: Request, fhir: Sequence[str]) -> DomainError:
    if error.status_code == 404:
        category, code = Category.NOT_FOUND, "path_unknown"
        served = (f"GET {base}/metadata" for base in fhir if request.scope["path"].startswith(base))
        where = next(served, "docs/architecture.md")
        detail = f"Nothing is served at this path; {where} tells what is."
    else:
        category = Category.INCORRECT if error.status_code < 500 else Category.FAULT
        code, detail = "http_error", str(error.detail)
    return DomainError(
        category, code, detail, headers=dict(error.headers or {}), status=error.status_code
    )


def _not_allowed(
    error: HTTPException, request: Request, routers: Sequence[APIRouter]
) -> DomainError:
    """Allow has the methods of every route of this path (RFC 9110 §10.2.1): the framework names those
    of the first."""
    matching = (
        route.methods or ()
        for router in routers
        for route in router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    )
    allowed = ", ".join(sorted({method for methods in matching for method in methods}))
    headers = {**(error.headers or {}), **({"Allow": allowed} if allowed else {})}
    detail = f"{request.method} is not served here" + (f", but {allowed}." if allowed else ".")
    return DomainError(
        Category.METHOD_NOT_ALLOWED, "method_not_allowed", detail, headers=headers, status=405
    )
