"""The FHIR routes: capabilities, read, search by GET and by POST, and what is refused."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.mss.annuaire import service
from services.mss.annuaire.api.access import Caller, CurrentCaller
from services.mss.annuaire.domain import refusals
from services.mss.annuaire.domain.capabilities import capability_statement
from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.pages import page_id, read_page_id
from services.mss.annuaire.domain.query import Search, read_search
from services.mss.annuaire.domain.systems import KINDS
from socle import __version__
from socle.auth.dependencies import kernel_of
from socle.db.sessions import ReadSession
from socle.fhir.bundle import searchset
from socle.fhir.messages import fhir_response
from socle.fhir.search import Parameters, SearchParameters, page_links
from socle.idgen import random_uuid

PREFIX = "/fhir/v2"
router = APIRouter(prefix=PREFIX, tags=["Annuaire Santé"])
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


@router.get("/metadata", response_class=Response)
@router.head("/metadata", response_class=Response, include_in_schema=False)
async def metadata(request: Request, caller: CurrentCaller) -> Response:
    return fhir_response(
        capability_statement(
            base_url(request), __version__, as_in_production=caller.as_in_production
        )
    )


@router.get("/_page", response_class=Response)
async def page(
    request: Request, caller: CurrentCaller, session: ReadSession, id: str = ""
) -> Response:
    """The link `next` of a directory as in production."""
    found = read_page_id(id)
    if found is None:
        raise refusals.page_gone(id)
    kind, parameters = found
    return await _search(request, caller, session, kind, parameters)


@router.get("/{kind}", response_class=Response)
@router.head("/{kind}", response_class=Response, include_in_schema=False)
@router.get("/{kind}/_search", response_class=Response)
@router.post("/{kind}/_search", response_class=Response)
async def search(
    kind: str,
    request: Request,
    caller: CurrentCaller,
    session: ReadSession,
    parameters: SearchParameters,
) -> Response:
    """By POST for searches that are too long for a URL (guide v2, api-basics.md)."""
    return await _search(request, caller, session, kind, parameters)


@router.get("/{kind}/{resource_id}", response_class=Response)
@router.head("/{kind}/{resource_id}", response_class=Response, include_in_schema=False)
async def read(
    kind: str, resource_id: str, caller: CurrentCaller, session: ReadSession
) -> Response:
    require_known(kind)
    resource, version = await read_resource(session, caller, kind, resource_id)
    return fhir_response(resource, ETag=f'W/"{version}"')


others = APIRouter(prefix=PREFIX, include_in_schema=False)
"""Included last: whatever no route has taken."""


@others.api_route("", methods=_EVERY_METHOD, response_class=Response)
@others.api_route("/", methods=_EVERY_METHOD, response_class=Response)
async def root(caller: CurrentCaller) -> Response:
    raise refusals.root_request()


@others.api_route("/{path:path}", methods=_EVERY_METHOD, response_class=Response)
async def not_offered(path: str, request: Request, caller: CurrentCaller) -> Response:
    require_known(path.partition("/")[0])
    raise refusals.unknown_operation(request.method, path, request.query_params.keys())


def require_known(kind: str) -> None:
    if kind not in KINDS:
        raise refusals.unknown_type(kind)


def base_url(request: Request) -> str:
    """The address under which the client reaches the directory, its space prefix included."""
    public = kernel_of(request).settings.public_url.rstrip("/")
    return f"{public}{request.state.space_prefix}{PREFIX}"


async def _search(
    request: Request, caller: Caller, session: ReadSession, kind: str, parameters: Parameters
) -> Response:
    require_known(kind)
    wanted = read_search(
        Search(caller.space.name, kind, caller.space.now(), caller.as_in_production), parameters
    )
    page = await service.search(session, wanted, restricted=caller.restricted)
    links = links_of(page, base_url(request), kind, wanted.applied, caller)
    return fhir_response(bundle_of(page, base_url(request), links))


async def read_resource(
    session: ReadSession, caller: Caller, kind: str, resource_id: str
) -> tuple[Json, int]:
    """And its version."""
    if not _ID.fullmatch(resource_id):
        raise refusals.unknown_resource(kind, resource_id)
    return await service.read(
        session, caller.space.name, kind, resource_id, restricted=caller.restricted
    )


def links_of(
    page: service.Page, base: str, kind: str, applied: Parameters, caller: Caller
) -> dict[str, str]:
    """`next` as the API MSS names its parameter (`_page_token`), or as the real directory gives it."""
    if page.next_token is None or not caller.as_in_production:
        return page_links(base, kind, applied, page.next_token, cursor="_page_token")
    following = page_id(kind, applied, page.next_token)
    return {**page_links(base, kind, applied, None), "next": f"{base}/_page?id={following}"}


def bundle_of(page: service.Page, base: str, links: Mapping[str, str]) -> dict[str, Any]:
    modes = [{"mode": "match"}] * len(page.matches) + [{"mode": "include"}] * len(page.included)
    resources = [*page.matches, *page.included]
    return {"id": str(random_uuid()), **searchset(resources, base, page.total, links, modes)}
