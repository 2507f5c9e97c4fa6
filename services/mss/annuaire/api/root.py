"""Requests to the base: a search of several types, and batches of reads.

The guide of the API MSS specifies both (flux de consommation); the real gateway refuses both (spec:
mss.md §2), and so does this one as in production.
"""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.mss.annuaire import service
from services.mss.annuaire.api.access import Caller, CurrentCaller, outcome_of
from services.mss.annuaire.api.fhir import (
    PREFIX,
    base_url,
    bundle_of,
    links_of,
    read_resource,
    require_known,
)
from services.mss.annuaire.domain import refusals
from services.mss.annuaire.domain.query import Search, read_search
from services.mss.annuaire.domain.results import page_token, read_page_token
from socle.db.sessions import ReadSession
from socle.errors import DomainError
from socle.fhir.messages import fhir_response, parse_json
from socle.fhir.search import Parameters
from socle.problems import Problem

router = APIRouter(prefix=PREFIX, tags=["Annuaire Santé"])
MAX_ENTRIES = 50


@router.get("", response_class=Response)
@router.get("/", response_class=Response, include_in_schema=False)
async def search_types(request: Request, caller: CurrentCaller, session: ReadSession) -> Response:
    """`?_type=Practitioner,PractitionerRole&…`: one bundle, type after type."""
    parameters = request.query_params.multi_items()
    named = [value for name, value in parameters if name == "_type"]
    if not named or caller.as_in_production:
        raise refusals.root_request()
    kinds = list(dict.fromkeys(kind for value in named for kind in value.split(",")))
    for kind in kinds:
        require_known(kind)
    rest = [item for item in parameters if item[0] not in ("_type", "_page_token")]
    token = request.query_params.get("_page_token", "")
    page = await _search_types(session, caller, kinds, rest, token)
    applied = [("_type", ",".join(kinds)), *rest]
    base = base_url(request)
    return fhir_response(bundle_of(page, base, links_of(page, base, "", applied, caller)))


@router.post("", response_class=Response)
@router.post("/", response_class=Response, include_in_schema=False)
async def batch(request: Request, caller: CurrentCaller, session: ReadSession) -> Response:
    """A Bundle of type batch whose entries are GETs; each has its own answer."""
    if caller.as_in_production:
        raise refusals.root_request()
    body = await asyncio.to_thread(parse_json, await request.body())
    entries = [await _answer(session, caller, one, base_url(request)) for one in _requests(body)]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if entries:
        bundle["entry"] = entries
    return fhir_response(bundle)


async def _search_types(
    session: ReadSession, caller: Caller, kinds: list[str], parameters: Parameters, token: str
) -> service.Page:
    """The token names the type at which the page begins and, within it, the place after which."""
    at, *after = read_page_token(token) or ("",)
    if token and at not in kinds:
        raise refusals.page_gone(token)
    whole = service.Page([], [], 0, None)
    left: int | None = None
    for kind in kinds:
        wanted = _wanted(caller, kind, parameters)
        begun = not at or kinds.index(kind) >= kinds.index(at)
        left = wanted.results.count if left is None else left
        if kind == at and after:
            wanted.results.page_token, wanted.results.after = token, tuple(after)
        only_count = wanted.results.only_count
        wanted.results.count = left
        wanted.results.only_count = only_count or not begun or left == 0
        page = await service.search(session, wanted, restricted=caller.restricted)
        left -= len(page.matches)
        next_token = whole.next_token
        if next_token is None and page.matches and page.next_token is not None:
            next_token = page_token((kind, *(read_page_token(page.next_token) or ())))
        elif next_token is None and begun and left == 0 and not page.matches and not only_count:
            next_token = page_token((kind,))
        total = None if whole.total is None or page.total is None else whole.total + page.total
        whole = service.Page(
            whole.matches + page.matches, whole.included + page.included, total, next_token
        )
    return whole


def _wanted(caller: Caller, kind: str, parameters: Parameters) -> Search:
    return read_search(
        Search(caller.space.name, kind, caller.space.now(), caller.as_in_production), parameters
    )


def _requests(body: Any) -> list[Any]:
    entries = body.get("entry", []) if isinstance(body, dict) else None
    if not isinstance(body, dict) or body.get("type") != "batch" or not isinstance(entries, list):
        raise refusals.refused([_problem("the body is no Bundle of type batch")])
    if len(entries) > MAX_ENTRIES:
        raise refusals.refused([_problem(f"more than {MAX_ENTRIES} entries")])
    return entries


async def _answer(session: ReadSession, caller: Caller, entry: Any, base: str) -> dict[str, Any]:
    request = entry.get("request") if isinstance(entry, dict) else None
    method, url = (
        (str(request.get("method")), str(request.get("url")))
        if isinstance(request, dict)
        else ("", "")
    )
    try:
        if method != "GET":
            raise refusals.unknown_operation(method, url)
        resource = await _got(session, caller, url, base)
    except DomainError as error:
        status = HTTPStatus(error.status)
        return {
            "response": {
                "status": f"{status.value} {status.phrase}",
                "outcome": outcome_of(error),
            }
        }
    return {"resource": resource, "response": {"status": "200 OK"}}


async def _got(session: ReadSession, caller: Caller, url: str, base: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise refusals.unknown_operation("GET", url) from error
    kind, _, id_ = unquote(parts.path).removeprefix(base).strip("/").partition("/")
    require_known(kind)
    if id_ and id_ != "_search":
        return (await read_resource(session, caller, kind, id_))[0]
    # The guide writes the systems of its tokens without encoding them: a plus sign stays one.
    parameters = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    wanted = _wanted(caller, kind, parameters)
    page = await service.search(session, wanted, restricted=caller.restricted)
    return bundle_of(page, base, links_of(page, base, kind, wanted.applied, caller))


def _problem(message: str) -> Problem:
    return Problem("FHIR-BATCH", "Bundle", message, source="FHIR R4 §3.1.0.11")
