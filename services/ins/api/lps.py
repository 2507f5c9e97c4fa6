"""POST /lps: INSi over SOAP 1.2. Reads, calls the search, answers in the contract's own form."""

from collections.abc import Sequence
from email.message import Message
from typing import cast

from fastapi import APIRouter, Request, Response

from services.ins.api.lps_access import caller_space
from services.ins.insi.answer import answer_bytes
from services.ins.insi.card import check_coverage, read_card_query
from services.ins.insi.envelope import Envelope, parse_envelope
from services.ins.insi.faults import (
    ACTION_REFUSED,
    HEADERS_REFUSED,
    SOFTWARE_UNKNOWN,
    InsiFault,
)
from services.ins.insi.headers import Headers, read_headers
from services.ins.insi.names import ROOT_OF_ACTION, SEARCH_BY_CARD
from services.ins.insi.query import read_query
from services.ins.insi.wsdl import wsdl
from services.ins.search import find_beneficiary, find_person
from services.ins.settings import InsSettings
from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError
from socle.http.render import SOAP_12
from socle.problems import Problem

router = APIRouter(tags=["INSi"])
WOULD_REFUSE = "Socle-Would-Refuse"


@router.post("/lps", response_class=Response)
async def call(request: Request) -> Response:
    """One URL for every operation; `wsa:Action` chooses (spec: ins.md §4.1)."""
    kernel = kernel_of(request)
    settings = cast(InsSettings, kernel.settings)
    warnings: list[Problem] = []
    envelope = parse_envelope(await request.body())
    headers = read_headers(envelope.headers, _http_action(request))
    space = await caller_space(request, settings, envelope.headers, warnings, headers.message_id)
    _check_headers(headers, settings, warnings)
    action = _action(headers, envelope)
    if action == SEARCH_BY_CARD:
        card = read_card_query(envelope.root, headers.message_id)
        if headers.bam is not None:
            _judge(check_coverage(headers.bam, card), headers, settings, warnings)
        async with kernel.database.read() as session:
            result = await find_beneficiary(session, space.name, card)
    else:
        query = read_query(envelope.root, headers.message_id)
        async with kernel.database.read() as session:
            result = await find_person(session, space.name, query)
    answer = answer_bytes(
        result, action=action, message_id=headers.message_id, prefix=settings.ins_soap_prefix
    )
    told = {WOULD_REFUSE: ", ".join(problem.rule for problem in warnings)} if warnings else None
    return Response(answer, headers=told, media_type=SOAP_12)


@router.get("/lps", response_class=Response)
async def describe(request: Request) -> Response:
    """`/lps?wsdl`, as tools of this protocol ask for it."""
    if "wsdl" not in {name.lower() for name in request.query_params}:
        raise DomainError(
            Category.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "INSi is called by POST; GET /lps?wsdl describes it.",
            headers={"Allow": "POST"},
        )
    settings = cast(InsSettings, kernel_of(request).settings)
    base = settings.public_tls_url or settings.public_url
    address = f"{base.rstrip('/')}{request.state.space_prefix}/lps"
    return Response(wsdl(address), media_type="text/xml; charset=utf-8")


def _check_headers(headers: Headers, settings: InsSettings, warnings: list[Problem]) -> None:
    _judge(headers.problems, headers, settings, warnings)
    if settings.ins_known_idams and headers.idam not in settings.ins_known_idams:
        raise InsiFault(SOFTWARE_UNKNOWN, message_id=headers.message_id)


def _judge(
    problems: Sequence[Problem], headers: Headers, settings: InsSettings, warnings: list[Problem]
) -> None:
    if settings.ins_headers == "enforce" and problems:
        raise InsiFault(HEADERS_REFUSED, problems, message_id=headers.message_id)
    if settings.ins_headers == "warn":
        warnings.extend(problems)


def _action(headers: Headers, envelope: Envelope) -> str:
    """The operation; where checks are off a message without any action is known by its body."""
    actions = {root: action for action, root in ROOT_OF_ACTION.items()}
    action = headers.action or actions.get(str(envelope.root.tag), "")
    expected = ROOT_OF_ACTION.get(action)
    if expected != envelope.root.tag:
        problem = Problem(
            "INS-ACTION",
            "/Envelope/Header/Action" if expected is None else "/Envelope/Body/*",
            "the action is not known" if expected is None else "the body is not the action's",
            " or ".join(sorted(ROOT_OF_ACTION)) if expected is None else expected,
            source="WSDL DESIR_ICIR_EXP 1.5.0",
        )
        raise InsiFault(ACTION_REFUSED, [problem], message_id=headers.message_id)
    return action


def _http_action(request: Request) -> str:
    """The `action` parameter of application/soap+xml (RFC 3902)."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return str(message.get_param("action", ""))
