"""Open hours for the SAS: slots that an agenda opens, and how many hours a week they make.

The platform reads them from the software (INT_R01); until it does here, the software tells them.
"""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from services.usage import sas as use_cases
from services.usage import sas_repository as repository
from services.usage.api.inputs import Day, Instant, Professional, Strict, refuse_if_any
from services.usage.api.render import number, shown
from services.usage.counting import national_id
from services.usage.referencing import today
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.problems import Problem

router = APIRouter(prefix="/usage/activity/sas", tags=["practice"])
LONGEST = timedelta(days=1)
SECURITY = Literal["PUBLIC", "PRO", "SNP", "CPTS"]


class SlotIn(Strict):
    """`securite` are codes of TRE_R314: whom the slot is open to."""

    debut: Instant
    fin: Instant
    securite: Annotated[list[SECURITY], Field(min_length=1, max_length=4)]


class SlotsIn(Strict):
    rpps: Professional
    creneaux: Annotated[list[SlotIn], Field(min_length=1, max_length=5000)]


@router.post("/slots", status_code=201)
async def declare_slots(body: SlotsIn, space: CallerSpace, session: WriteSession) -> dict[str, int]:
    """Free slots; the same one again adds nothing, and hours that overlap count once."""
    problems = [
        Problem(
            "SAS-CRENEAU", f"/body/creneaux/{position}/fin", "not after its beginning within a day",
            "a later instant, 24 hours at most", source="mes.md §D",
        )
        for position, it in enumerate(body.creneaux)
        if not timedelta(0) < it.fin - it.debut <= LONGEST
    ]  # fmt: skip
    refuse_if_any(problems)
    slots = [(it.debut, it.fin) for it in body.creneaux]
    added = await repository.add(session, space.name, national_id(body.rpps), slots)
    return {"declared": len(slots), "added": added}


@router.get("/hours")
async def read_hours(
    space: CallerSpace,
    session: ReadSession,
    rpps: Annotated[str, Query(pattern=r"^[0-9A-Z]{9,12}$")],
    start: Annotated[Day, Query(alias="from")],
    end: Annotated[Day | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Of each whole week that is over by the space's clock."""
    last: date = end or today(space)
    if last < start:
        raise DomainError(Category.INCORRECT, "period", "Not a period: to is before from.")
    weeks = await use_cases.weekly_hours(session, space, rpps, start, last)
    return {
        "rpps": rpps,
        "weeks": [
            {"from": monday, "hours": shown(hours), "exact": number(hours)}
            for monday, hours in weeks.items()
        ],
    }
