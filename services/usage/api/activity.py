"""Structures, and the activity that they declare."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from services.usage import repository, sheets
from services.usage.api.act_in import ActIn
from services.usage.api.activity_file import FORM, content_of, declare_file, is_file, no_such_body
from services.usage.api.declaring import Declaring
from services.usage.api.inputs import (
    Finess,
    FinessInPath,
    Instant,
    Professional,
    Strict,
    Text,
    refuse_if_any,
)
from services.usage.domain.measures import ActivityKind
from services.usage.events import ACTIVITY_CANCELLED, ACTIVITY_DECLARED, activity_event
from services.usage.redeclared import contradiction, contradictions
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.problems import Problem

router = APIRouter(prefix="/usage", tags=["activity"])


MOST_LISTED = 10_000
After = Annotated[
    str,
    Query(max_length=128, pattern=r"^[^\x00-\x1f]*$", description="the last of the page before"),
]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]


class StructureIn(Strict):
    name: Text


@router.put("/structures/{finess}")
async def declare_structure(
    finess: FinessInPath, body: StructureIn, space: CallerSpace, session: WriteSession
) -> dict[str, str]:
    await repository.upsert_structure(session, space.name, finess, body.name)
    return {"finess": finess, "name": body.name}


@router.get("/structures")
async def list_structures(
    space: CallerSpace, session: ReadSession, after: After = "", limit: Limit = MOST_LISTED
) -> list[dict[str, str]]:
    """By their numbers; a page that is full goes on `after` the last of them."""
    found = await repository.list_structures(session, space.name, after, limit)
    return [{"finess": finess, "name": name} for finess, name in found]


@router.get("/quarantine")
async def read_quarantine(
    space: CallerSpace, session: ReadSession, after: After = "", limit: Limit = MOST_LISTED
) -> dict[str, Any]:
    """What is of structures that are not declared: it shows as soon as they are. A page that is full
    (`next`) goes on `after` the last of them."""
    found = await repository.count_quarantined(session, space.name, after, limit)
    return {
        "documents": sum(documents for _, documents, _ in found),
        "by_structure": {structure: documents for structure, documents, _ in found if documents},
        "acts": sum(acts for _, _, acts in found),
        "acts_by_structure": {structure: acts for structure, _, acts in found if acts},
        "next": found[-1][0] if len(found) == limit else None,
    }


class ActivityIn(Strict):
    acts: list[ActIn] = Field(min_length=1, max_length=10_000)


_BODIES = {
    "required": True,
    "content": {
        "application/json": {"schema": ActivityIn.model_json_schema()},
        "text/csv": {"schema": {"type": "string"}},
        sheets.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        FORM: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
    },
}


@router.post("/activity", status_code=201, openapi_extra={"requestBody": _BODIES})
async def declare_activity(
    request: Request,
    space: CallerSpace,
    declaring: Declaring,
    on_error: Literal["refuse", "skip"] = "refuse",
) -> dict[str, Any]:
    """Acts, in JSON or as a file: CSV or XLSX. All count or none; a file may ask for `on_error=skip`."""
    kernel = kernel_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_file(media_type):
        chunks = content_of(request, media_type)
        return await declare_file(chunks, kernel, space, declaring, skip=on_error == "skip")
    content = await request.body()
    if media_type != "application/json" and not content.lstrip().startswith(b"{"):
        raise no_such_body(media_type)
    body = _read(content)
    problems: list[Problem] = []
    told = []
    for position, act in enumerate(body.acts):
        data, found = act.checked(kernel, space.name, f"/body/acts/{position}")
        problems += found
        told.append(data)
    refuse_if_any(problems)
    now = space.now()
    async with kernel.database.write() as session:
        differs = await contradictions(session, space.name, told)
        refuse_if_any([
            contradiction(f"/body/acts/{position}/act_id", it)
            for position, it in enumerate(differs) if it
        ])  # fmt: skip
        await declaring.tell(
            session, [activity_event(ACTIVITY_DECLARED, space.name, it, now) for it in told]
        )
    return {"declared": len(told)}


def _read(content: bytes) -> ActivityIn:
    try:
        return ActivityIn.model_validate_json(content)
    except ValidationError as error:
        found = [{**entry, "loc": ("body", *entry["loc"])} for entry in error.errors()]
        raise RequestValidationError(found) from error


class CancellationIn(Strict):
    """Of an act by the same words that declared it; it may be heard before the declaration."""

    kind: ActivityKind
    structure: Finess | None = None
    professional: Professional | None = None
    act_id: Text
    cancelled_at: Instant


class CancellationsIn(Strict):
    cancellations: list[CancellationIn] = Field(min_length=1, max_length=10_000)


@router.post("/activity/cancellations", status_code=201)
async def cancel_activity(
    body: CancellationsIn, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> dict[str, int]:
    """An act that is cancelled leaves both sides of a rate, from the day of its cancellation."""
    problems = [
        Problem(
            "ACT-OWNER", f"/body/cancellations/{position}/structure", "nobody's act",
            "a structure, a professional or both",
        )
        for position, it in enumerate(body.cancellations)
        if it.structure is None and it.professional is None
    ]  # fmt: skip
    refuse_if_any(problems)
    now = space.now()
    await declaring.tell(
        session,
        [
            activity_event(ACTIVITY_CANCELLED, space.name, it.model_dump(mode="json"), now)
            for it in body.cancellations
        ],
    )
    return {"cancelled": len(body.cancellations)}
