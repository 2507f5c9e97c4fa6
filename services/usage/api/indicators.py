"""GET /usage/indicators/{code}: one indicator of a structure or a professional."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.usage import indicators
from services.usage.api.inputs import FINESS, Professional
from services.usage.api.render import sourced, target_of, totals_json
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period
from services.usage.domain.rate import hundredths
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.problems import Problem

router = APIRouter(prefix="/usage", tags=["indicators"])


@router.get("/indicators/{code}")
async def read_indicator(
    code: str,
    space: CallerSpace,
    session: ReadSession,
    structure: Annotated[str | None, Query(pattern=FINESS, description="FINESS")] = None,
    professional: Annotated[Professional | None, Query(description="RPPS, or PS_IdNat")] = None,
    programme: Annotated[str | None, Query(description="GET /usage/rules lists them")] = None,
    window: Annotated[str | None, Query(description="F1 to F4; the open one by default")] = None,
    start: Annotated[date | None, Query(alias="from", description="first day")] = None,
    end: Annotated[date | None, Query(alias="to", description="day after the last")] = None,
) -> dict[str, Any]:
    """Numerator, denominator, exact value, target and verdict, with the source of each number."""
    measured = await indicators.measure(
        session, space, programme, code, beneficiary(structure, professional), window,
        period_of(start, end),
    )  # fmt: skip
    found, rules = measured.outcome, measured.programme
    period = measured.period
    value = None if found.value is None else str(hundredths(found.value))
    refused = await indicators.refused_beside(session, space.name, measured)
    return {
        "indicator": code,
        "title": found.rule.title,
        "programme": rules.programme,
        "rules_version": rules.version,
        measured.of.kind: _named(measured),
        "window": measured.window,
        "period": {"from": period.start, "to": period.end, "zone": "Europe/Paris"},
        **{
            side: {"value": number, "wording": rule.wording, **sourced(rule)}
            for side, number, rule in (
                ("numerator", found.numerator, found.rule.numerator),
                ("denominator", found.denominator, found.rule.denominator),
            )
            if rule is not None
        },
        "value": {
            "percent" if found.rule.kind != "count" else "number": value,
            "exact": None if found.value is None else str(found.value),
        },
        "target": target_of(found),
        "status": found.status,
        "met": found.status == "met",
        **(
            {}
            if measured.declared is None
            else {"declared": totals_json(measured.declared, found.numerator)}
        ),
        **(
            {}
            if refused is None
            else {"refused": {"documents": refused.count, "by_rule": refused.by_rule}}
        ),
    }


def _named(measured: indicators.Measured) -> dict[str, str]:
    if measured.of.kind == "structure":
        return {"finess": measured.of.number, "name": measured.name}
    return {"id": measured.of.number}


def beneficiary(structure: str | None, professional: str | None) -> Beneficiary:
    if (structure is None) == (professional is None):
        problem = Problem(
            "HTTP-QUERY", "/query/structure", "give structure or professional, one of them"
        )
        raise DomainError(
            Category.INCORRECT,
            "invalid_request_body",
            "An indicator is counted for a structure or for a professional.",
            problems=[problem],
        )
    if structure is not None:
        return Beneficiary("structure", structure)
    return Beneficiary("professional", professional or "")


def period_of(start: date | None, end: date | None) -> Period | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise DomainError(Category.INCORRECT, "period", "Give both from and to, or neither.")
    try:
        return Period(start, end)
    except ValueError as error:
        raise DomainError(Category.INCORRECT, "period", f"Not a period: {error}.") from error
