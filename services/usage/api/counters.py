"""GET /usage/counters: what is counted by day and pays nothing, refusals by rule first of all."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.usage.api.indicators import beneficiary, period_of
from services.usage.api.inputs import FINESS, Professional
from services.usage.counters import list_counters
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import EARLIEST, LATEST, Period
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession

router = APIRouter(prefix="/usage", tags=["counters"])


@router.get("/counters")
async def read_counters(
    space: CallerSpace,
    session: ReadSession,
    structure: Annotated[str | None, Query(pattern=FINESS)] = None,
    professional: Annotated[Professional | None, Query(description="RPPS, or PS_IdNat")] = None,
    start: Annotated[date | None, Query(alias="from", description="first day")] = None,
    end: Annotated[date | None, Query(alias="to", description="day after the last")] = None,
) -> dict[str, Any]:
    """Of a structure, a professional, or the whole space; of all time where no days are given."""
    everybody = structure is None and professional is None
    of = Beneficiary("space") if everybody else beneficiary(structure, professional)
    period = period_of(start, end) or Period(EARLIEST, LATEST)
    found = await list_counters(session, space.name, of, period)
    return {
        "period": {"from": period.start, "to": period.end, "zone": "Europe/Paris"},
        "counters": {it.kind: {"count": it.count, "of_which": it.of_which} for it in found},
    }
