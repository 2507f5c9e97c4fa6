"""The control plane's part of the sessions: who is logged in, and to end it under their feet."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.psc.api.context import CurrentProvider
from services.psc.api.requests import PersonFilter
from services.psc.domain.session import AuthMode
from services.psc.repository import sessions as rows
from services.psc.service import sessions
from socle.auth.dependencies import RequestSpace
from socle.clock import wall
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only

router = APIRouter(
    prefix="/_sandbox/psc/sessions", tags=["control plane"], dependencies=[sandbox_only]
)
MAX_CLOSED_AT_ONCE = 1000


class Open(BaseModel):
    """`id` is the `session_state` and the `sid` of its tokens."""

    id: UUID
    person: str
    auth_mode: AuthMode
    started_at: datetime
    last_seen_at: datetime


class Closed(BaseModel):
    closed: int


@router.get("")
async def list_sessions(
    provider: CurrentProvider,
    session: ReadSession,
    space: RequestSpace,
    person: PersonFilter = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Open]:
    """The newest first; one that has run out is not listed."""
    now = wall()
    return [
        Open(
            id=found.id,
            person=found.national_id,
            auth_mode=found.auth_mode,
            started_at=found.started_at,
            last_seen_at=found.last_seen_at,
        )
        for found in await rows.list_open(session, space.name, person, limit)
        if sessions.is_live(provider, found, now)
    ]


@router.delete("")
async def close_sessions(
    session: WriteSession, space: RequestSpace, person: PersonFilter = None
) -> Closed:
    """Of one person, or of everyone: as the e-CPS application's "disconnect everywhere"."""
    now, count = wall(), 0
    for found in await rows.list_open(session, space.name, person, MAX_CLOSED_AT_ONCE):
        count += await sessions.close(session, space, found.id, now)
    return Closed(closed=count)


@router.delete("/{id_}", status_code=204)
async def close_session(session: WriteSession, space: RequestSpace, id_: UUID) -> None:
    """Its tokens are refused from now on, though their `exp` is ahead."""
    if not await sessions.close(session, space, id_, wall()):
        raise DomainError(
            Category.NOT_FOUND,
            "session_unknown",
            "This space has no such open session; GET /_sandbox/psc/sessions lists them.",
        )
