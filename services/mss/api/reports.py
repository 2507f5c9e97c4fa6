"""What the rules found in the messages of a space. Reports hold no name, no address and no content:
whoever has a token of the space reads them all."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.mss import linting
from services.mss import report_repository as reports
from services.mss.domain.lint.report import BY_ID, RULES
from services.mss.domain.lint.rules import Rule
from services.mss.linting import Mode
from socle.auth.dependencies import CallerSpace, RequestSpace, kernel_of
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.spaces import in_force_everywhere

router = APIRouter(prefix="/mss", tags=["reports"])
control = APIRouter(prefix="/_sandbox/mss", tags=["control plane"], dependencies=[sandbox_only])
LIMIT = 200


@router.get("/messages/{message}/report")
async def read_report(request: Request, message: UUID, space: CallerSpace) -> dict[str, Any]:
    """Every rule with its requirement, and what it found. Made now if it is not there yet."""
    stored = await linting.report_of(kernel_of(request), space.name, message)
    return {**_head(stored), "rules": [_verdict(it) for it in stored.verdicts or ()]}


@router.get("/reports")
async def list_reports(
    space: CallerSpace,
    session: ReadSession,
    after: Annotated[UUID | None, Query(description="messages accepted after this one")] = None,
    outcome: Annotated[Literal["passed", "warning", "failed"] | None, Query()] = None,
    rule: Annotated[
        str | None, Query(max_length=40, description="where this rule found something")
    ] = None,
    requirement: Annotated[
        str | None, Query(max_length=40, description="of Référentiel #2 or the REM: ECO.2.4.3")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
) -> dict[str, Any]:
    """Oldest first, with what was found only. A message whose `outcome` is null waits for its report."""
    found = await reports.list_reports(
        session,
        space.name,
        after=after,
        outcome=outcome,
        rules=_asked(rule, requirement),
        limit=limit,
    )
    return {
        "reports": [
            {**_head(it), "rules": [_verdict(one) for one in it.verdicts or () if one["findings"]]}
            for it in found
        ],
        "next_after": str(found[-1].message) if found else after and str(after),
    }


@router.get("/reports/summary")
async def summarise(space: CallerSpace, session: ReadSession) -> dict[str, Any]:
    """Each requirement, with the number of messages by outcome: what the traffic has shown so far."""
    counted = await reports.summarise(session, space.name)
    done, waiting = await reports.count(session, space.name)
    return {
        "messages": done,
        "waiting": waiting,
        "rules": [{**_rule(it), "outcomes": counted.get(it.id, {})} for it in RULES],
    }


class PolicyIn(BaseModel):
    """What is left out stays. `from` is about the sender that a mail shows: whether it must be the
    mailbox that sends."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = None
    from_: Mode | None = Field(None, alias="from")


@control.get("/lint")
async def read_policy(request: Request, space: RequestSpace) -> dict[str, Mode]:
    policy = await linting.policy_of(kernel_of(request), space.name)
    return {"mode": policy.mode, "from": policy.from_}


@control.put("/lint")
async def change_policy(request: Request, space: RequestSpace, policy: PolicyIn) -> dict[str, Mode]:
    """`enforce` refuses at the end of DATA what breaks a rule; `off` makes no reports."""
    async with kernel_of(request).database.write() as session:
        await reports.store_modes(session, space.name, policy.mode, policy.from_)
    await in_force_everywhere()
    return await read_policy(request, space)


def _asked(rule: str | None, requirement: str | None) -> list[str] | None:
    if rule is None and requirement is None:
        return None
    asked = [
        it.id
        for it in RULES
        if (rule is None or it.id == rule) and requirement in (None, it.eco, it.segur)
    ]
    if not asked:
        raise DomainError(
            Category.INCORRECT,
            "rule_unknown",
            "No rule has this id, or answers to this requirement.",
        )
    return asked


def _head(stored: reports.StoredReport) -> dict[str, Any]:
    return {
        "message": str(stored.message),
        "accepted_at": stored.requested_at,
        "outcome": stored.outcome,
        "passage": stored.passage,
    }


def _verdict(stored: dict[str, Any]) -> dict[str, Any]:
    rule = BY_ID.get(stored["rule"])
    told = _rule(rule) if rule else {"id": stored["rule"]}
    return {**told, "outcome": stored["outcome"], "findings": stored["findings"]}


def _rule(rule: Rule) -> dict[str, str]:
    return {
        "id": rule.id,
        "title": rule.title,
        "requirement": rule.eco,
        "segur": rule.segur,
        "source": rule.source,
        "confidence": rule.confidence,
    }
