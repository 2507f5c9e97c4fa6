"""/usage/…/dossiers/{programme}, and its applications: on the days on which a window takes them."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Request
from pydantic import Field

from services.usage import candidatures as use_cases
from services.usage.api.declaring import Declaring
from services.usage.api.inputs import Strict
from services.usage.api.payments import Whose
from services.usage.api.rules import Slug
from services.usage.api.sons import problem_json
from services.usage.candidatures import Mode
from services.usage.domain.candidatures import Dates
from services.usage.domain.dossier import Dossier
from services.usage.domain.rules.figures import Name
from services.usage.settings import UsageSettings
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.http.context import warn

router = APIRouter(prefix="/usage/{kind}/{number}/dossiers/{programme}", tags=["applications"])


def _mode(request: Request) -> Mode:
    return cast(UsageSettings, kernel_of(request).settings).usage_applications


@router.put("")
async def put_dossier(
    of: Whose,
    programme: Slug,
    body: Dossier,
    request: Request,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
) -> dict[str, Any]:
    """Base, prerequisites, windows applied for, attestations: what the counters cannot know."""
    await declaring.check_for(of)
    kept, warnings = await use_cases.put(session, space, programme, of, body, _mode(request))
    warn(request.scope, warnings)
    told = {"warnings": [problem_json(it) for it in warnings]} if warnings else {}
    return {**kept.model_dump(mode="json"), **told}


class ApplicationIn(Strict):
    window: Name | None = None
    """By default the one that takes applications now."""
    groups: Annotated[list[Name], Field(min_length=1, max_length=50)]


@router.post("/applications", status_code=201)
async def apply(
    of: Whose,
    programme: Slug,
    body: ApplicationIn,
    request: Request,
    space: CallerSpace,
    session: WriteSession,
    declaring: Declaring,
) -> dict[str, Any]:
    """One application for a window: the last one made while it is open holds."""
    await declaring.check_for(of)
    window, warnings = await use_cases.apply(
        session, space, programme, of, body.window, body.groups, _mode(request)
    )
    warn(request.scope, warnings)
    return {
        "window": window, "groups": body.groups, "applied_at": space.now(),
        "warnings": [problem_json(it) for it in warnings],
    }  # fmt: skip


@router.get("/applications")
async def read_applications(
    of: Whose, programme: Slug, request: Request, space: CallerSpace, session: ReadSession
) -> dict[str, Any]:
    """Which windows take applications by the space's clock, and what was applied for when."""
    dates, dossier, history = await use_cases.read(session, space, programme, of)
    groups = dossier.applications if dossier else None
    return {
        "mode": _mode(request),
        "windows": {
            name: {**_dates(it), "groups": None if groups is None else groups.get(name, [])}
            for name, it in dates.items()
        },
        "history": [
            {
                "window": row.window, "groups": row.groups, "applied_at": row.applied_at,
                "in_time": row.in_time,
            }
            for row in history
        ],
    }  # fmt: skip


def _dates(it: Dates) -> dict[str, Any]:
    return {
        "state": it.state,
        "from": it.start,
        "to": it.end,
        "source": it.source,
        "confidence": it.confidence,
    }
