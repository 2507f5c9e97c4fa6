"""POST /usage/calculations: the engine on figures of one's own."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from services.usage import calculations
from services.usage.api.render import outcome_json
from services.usage.domain.engine import Inputs
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession

router = APIRouter(prefix="/usage", tags=["calculations"])
AllowUnverified = Annotated[
    bool, Query(description="shows euros that rest on figures of low confidence")
]


class CalculationIn(Inputs):
    """Figures of one's own, for a programme and one of its windows."""

    programme: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+){0,9}$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")] | None = None


@router.post("/calculations")
async def calculate(
    body: CalculationIn,
    space: CallerSpace,
    session: ReadSession,
    allow_unverified: AllowUnverified = False,
) -> dict[str, Any]:
    """Attainment and euros, with every figure, source and open choice behind them."""
    outcome = await calculations.calculate(
        session, space, body.programme, body.version, body, allow_unverified=allow_unverified
    )
    return outcome_json(outcome)
