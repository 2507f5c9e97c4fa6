"""Who calls: the key of the header ESANTE-API-KEY, which selects its space (guide v2, api-basics.md)."""

from dataclasses import dataclass
from typing import Annotated, cast

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from services.mss.annuaire import keys
from services.mss.annuaire.rate import RATE_EXCEEDED, CallRate
from services.mss.settings import MssSettings
from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError
from socle.http.faults import RequestFaults
from socle.http.render import FHIR_JSON
from socle.spaces import Space

HEADER = "ESANTE-API-KEY"
KEY_REFUSED = "annuaire_key"


@dataclass(frozen=True, slots=True)
class Caller:
    """`may_write` may PATCH; `restricted` sees what the profiles of free access leave out."""

    space: Space
    may_write: bool
    restricted: bool
    as_in_production: bool


async def _caller_of(request: Request) -> Caller:
    kernel = kernel_of(request)
    settings = cast(MssSettings, kernel.settings)
    named: str | None = request.state.space
    secret = request.headers.get(HEADER, "")
    space = await kernel.spaces.get(named or settings.default_space)
    async with kernel.database.read() as session:
        found = await keys.find_key(session, secret, space.name) if secret else None
        elsewhere = found is not None and found.space != space.name
        key = None if elsewhere and named else found
        switches = await keys.read_switches(session, key.space if key else space.name)
    _rate_of(request, settings).count(str(key.id) if key else space.name)
    in_force = switches.over(settings)
    if key is None and in_force.api_key == "enforce":
        raise _refused(secret, elsewhere=elsewhere)
    if key is not None and key.space != space.name:
        space = await kernel.spaces.get(key.space)
    request.state.space_of_caller = space.name  # for the journal
    if space.faults:
        label = key.label if key else ""
        await RequestFaults(kernel.faults, kernel.service, space, request.scope, label).strike()
    return Caller(
        space,
        may_write=key.may_write if key else True,
        restricted=key is not None and key.may_write,
        as_in_production=in_force.as_in_production,
    )


def _rate_of(request: Request, settings: MssSettings) -> CallRate:
    state = request.app.state
    if not hasattr(state, "annuaire_rate"):
        state.annuaire_rate = CallRate(settings.mss_annuaire_calls_per_second)
    return cast(CallRate, state.annuaire_rate)


CurrentCaller = Annotated[Caller, Depends(_caller_of)]


def _refused(secret: str, *, elsewhere: bool) -> DomainError:
    """Gravitee's own words: `Unauthorized` without a key, the others with one that is not good."""
    if elsewhere:
        detail = "You are not allowed to access this resource: the key is of another space."
        return DomainError(Category.FORBIDDEN, KEY_REFUSED, detail)
    detail = "API Key is not valid or is expired / revoked." if secret else "Unauthorized"
    return DomainError(Category.UNAUTHENTICATED, KEY_REFUSED, detail)


def require_write(caller: Caller) -> None:
    if not caller.may_write:
        raise DomainError(
            Category.FORBIDDEN, "annuaire_read_only", "This key may read the directory only."
        )


def render_annuaire(error: DomainError, _correlation_id: str) -> Response:
    """As HAPI: an OperationOutcome whose issues have `diagnostics`. The gateway before it answers
    what concerns the key and how often it is used, in its own JSON."""
    if error.code in (KEY_REFUSED, RATE_EXCEEDED):
        body: dict[str, object] = {"message": error.detail, "http_status_code": error.status}
        return Response(orjson.dumps(body), error.status, error.headers, "application/json")
    headers = {**error.headers, "Content-Type": FHIR_JSON}
    return Response(orjson.dumps(outcome_of(error)), error.status, headers)


def outcome_of(error: DomainError) -> dict[str, object]:
    issues = [
        {
            "severity": problem.severity,
            "code": "not-supported" if problem.rule == "HAPI-0303" else "processing",
            "diagnostics": f"{problem.message} (expected: {problem.expected})"
            if problem.expected
            else problem.message,
            **({"expression": [problem.path]} if problem.path else {}),
        }
        for problem in error.problems
    ] or [{"severity": "error", "code": error.mapped.outcome, "diagnostics": error.detail}]
    return {"resourceType": "OperationOutcome", "issue": issues}
