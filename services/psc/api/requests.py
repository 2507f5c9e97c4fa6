"""The control plane's phone: answers waiting requests without a person or a browser."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.psc.api.context import CurrentProvider
from services.psc.domain.ecps import AuthenticationRequest, Verdict
from services.psc.domain.session import Channel
from services.psc.repository import requests
from services.psc.service import ecps
from socle.auth.dependencies import RequestSpace
from socle.clock import wall
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only

router = APIRouter(
    prefix="/_sandbox/psc/requests", tags=["control plane"], dependencies=[sandbox_only]
)


PersonFilter = Annotated[str | None, Query(pattern=r"^[\x20-\x7e]{1,64}$")]
"""A national identifier; printable ASCII, since the database takes no control characters."""


class Shown(BaseModel):
    """`number` is what the client shows; the phone offers `choices`."""

    id: UUID
    client_id: str
    person: str
    channel: Channel
    number: str
    choices: tuple[str, ...]
    status: Verdict
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, request: AuthenticationRequest, now: datetime) -> "Shown":
        return cls(
            id=request.id,
            client_id=request.client_id,
            person=request.national_id,
            channel=request.channel,
            number=request.number,
            choices=request.choices,
            status=request.verdict(now),
            created_at=request.created_at,
            expires_at=request.expires_at,
        )


class Approval(BaseModel):
    """What the person enters. Left out, it is taken as right."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None
    pin: str | None = Field(None, pattern=r"^[0-9]{4}$", repr=False)


class Decision(BaseModel):
    """`tries_left` counts down to a refusal (numbers) or to a locked phone (PIN)."""

    outcome: ecps.Outcome
    tries_left: int
    locked_until: datetime | None


@router.get("")
async def list_requests(
    session: ReadSession,
    space: RequestSpace,
    person: PersonFilter = None,
    status: Verdict | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Shown]:
    """The newest first; `limit` is taken before `status` is looked at."""
    now = wall()
    found = [
        Shown.of(request, now)
        for request in await requests.list_latest(session, space.name, person, limit)
    ]
    return [shown for shown in found if status in (None, shown.status)]


@router.post("/{id_}/approve")
async def approve(
    provider: CurrentProvider,
    session: WriteSession,
    space: RequestSpace,
    id_: UUID,
    approval: Approval | None = None,
) -> Decision:
    entered = approval or Approval()
    answer = await ecps.approve(
        provider, session, space.name, id_, number=entered.number, pin=entered.pin
    )
    return _told(answer)


@router.post("/{id_}/refuse")
async def refuse(session: WriteSession, space: RequestSpace, id_: UUID) -> Decision:
    return _told(await ecps.refuse(session, space.name, id_))


@router.post("/{id_}/wrong-code")
async def wrong_code(session: WriteSession, space: RequestSpace, id_: UUID) -> Decision:
    """The third wrong number in one request refuses it."""
    return _told(await ecps.choose_wrong_number(session, space.name, id_))


@router.post("/{id_}/expire")
async def expire(session: WriteSession, space: RequestSpace, id_: UUID) -> Decision:
    """As if nobody had answered in time."""
    return _told(await ecps.let_expire(session, space.name, id_))


def _told(answer: ecps.Answer) -> Decision:
    """A request that is over changes nothing any more, so raising loses nothing."""
    if answer.outcome == "gone":
        raise DomainError(
            Category.CONFLICT,
            "request_over",
            "This request was answered, fetched or has expired; the client must start a new one.",
        )
    return Decision(
        outcome=answer.outcome, tries_left=answer.tries_left, locked_until=answer.locked_until
    )
