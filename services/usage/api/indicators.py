"""GET /usage/…: indicators and the rules behind them."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.usage import service
from services.usage.api.activity import FINESS
from services.usage.domain.period import Period
from services.usage.domain.rules import sun_es
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError

router = APIRouter(prefix="/usage", tags=["indicators"])


@router.get("/indicators/{code}")
async def read_indicator(
    code: str,
    space: CallerSpace,
    session: ReadSession,
    structure: Annotated[str, Query(pattern=FINESS, description="FINESS of the establishment")],
    window: Annotated[str | None, Query(description="F1 to F4; the open one by default")] = None,
    start: Annotated[date | None, Query(alias="from", description="first day")] = None,
    end: Annotated[date | None, Query(alias="to", description="day after the last")] = None,
) -> dict[str, Any]:
    """Numerator, denominator, exact value, target and verdict, with the source of each number."""
    measure = await service.measure(
        session, space, sun_es(), code, structure, window, _period(start, end)
    )
    rule, rate = measure.rule, measure.rate
    return {
        "indicator": measure.code,
        "title": rule.title,
        "programme": sun_es().programme,
        "rules_version": sun_es().version,
        "structure": {"finess": measure.structure, "name": measure.structure_name},
        "window": measure.window,
        "period": {"from": measure.period.start, "to": measure.period.end, "zone": "Europe/Paris"},
        "numerator": {"value": rate.numerator, **_explained(rule.numerator)},
        "denominator": {"value": rate.denominator, **_explained(rule.denominator)},
        "value": {
            "percent": rate.display,
            "exact": str(rate.value) if rate.value is not None else None,
        },
        "target": {"percent": measure.target.value, **_sourced(measure.target)},
        "status": measure.status,
        "met": measure.status == "met",
    }


def _explained(part: Any) -> dict[str, str]:
    return {"wording": part.wording, **_sourced(part)}


def _sourced(part: Any) -> dict[str, str]:
    return {"source": part.source, "confidence": part.confidence}


def _period(start: date | None, end: date | None) -> Period | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise DomainError(Category.INCORRECT, "period", "Give both from and to, or neither.")
    try:
        return Period(start, end)
    except ValueError as error:
        raise DomainError(Category.INCORRECT, "period", f"Not a period: {error}.") from error


@router.get("/rules")
async def read_rules() -> dict[str, Any]:
    """The rule file in force, every number with its source and confidence."""
    return sun_es().model_dump(mode="json")
