"""GET /usage/{structures,professionals}/…/missing: what is missing to reach the targets."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.usage import forecasts
from services.usage.api.payments import Programme, Whose
from services.usage.api.render import number, shown
from services.usage.domain.measures import Beneficiary
from services.usage.domain.missing import Missing
from services.usage.domain.rules.figures import exact
from services.usage.reports.build import NATIONAL, SPACE
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.spaces import Space

router = APIRouter(prefix="/usage", tags=["payments"])
PerDay = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", description="instead of the rhythm so far"),
]


@router.get("/{kind}/{number}/missing")
async def read_missing(
    of: Whose,
    space: CallerSpace,
    session: ReadSession,
    programme: Programme,
    window: str | None = None,
    acts_per_day: PerDay = None,
) -> dict[str, Any]:
    """Documents missing now, and by the end of the window if acts go on at their rhythm."""
    return await _missing(session, space, programme, of, window, acts_per_day)


@router.get("/national/missing")
async def read_national_missing(
    space: CallerSpace,
    session: ReadSession,
    window: str | None = None,
    documents_per_day: PerDay = None,
) -> dict[str, Any]:
    """What the space's documents lack to the national target; those to come are `expected_acts`."""
    return await _missing(session, space, NATIONAL, SPACE, window, documents_per_day)


async def _missing(
    session: ReadSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    per_day: str | None,
) -> dict[str, Any]:
    rhythm = None if per_day is None else exact(per_day)
    found = await forecasts.forecast(session, space, programme, of, window, rhythm)
    it = found.window
    return {
        "programme": programme,
        "window": it.name,
        "state": it.state,
        "period": {"from": it.period.start, "to": it.period.end, "zone": "Europe/Paris"},
        "days": {"elapsed": found.days.elapsed, "remaining": found.days.remaining},
        "indicators": {
            code: {
                "title": it.outcome.indicators[code].rule.title,
                "status": it.outcome.indicators[code].status,
                "numerator": it.outcome.indicators[code].numerator,
                "denominator": it.outcome.indicators[code].denominator,
                "value": shown(it.outcome.indicators[code].value),
                "targets": [missing_json(each) for each in missing],
            }
            for code, missing in found.missing.items()
        },
    }


def missing_json(each: Missing) -> dict[str, Any]:
    return {
        "target": number(each.target),
        "missing_now": each.now,
        "expected_acts": each.expected_acts,
        "needed_by_the_end": each.by_the_end,
        "needed_per_day": each.per_day,
        "reachable": each.reachable,
    }
