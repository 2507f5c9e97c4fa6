"""The control plane that every service has: clock, faults and journal of a space (DESIGN.md §8)."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from socle.auth.dependencies import RequestSpace, kernel_of
from socle.clock import SpaceClock, wall
from socle.errors import Category, DomainError
from socle.faults import FaultRule, can_strike
from socle.http.journal import Journal
from socle.spaces import Space, in_force_everywhere, store_clock, store_faults


async def _sandbox_only(request: Request) -> None:
    if not kernel_of(request).settings.sandbox:
        raise DomainError(
            Category.FORBIDDEN, "sandbox_off", "The control plane exists in sandbox mode only."
        )


sandbox_only = Depends(_sandbox_only)
router = APIRouter(prefix="/_sandbox", tags=["control plane"], dependencies=[sandbox_only])


class ClockChange(BaseModel):
    """Exactly one of the four. `now` runs on from an instant, `freeze` stops at it."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = None
    freeze: AwareDatetime | None = None
    advance_seconds: float | None = None
    reset: bool = False

    def apply(self, clock: SpaceClock) -> SpaceClock:
        if self.now is not None:
            return clock.shifted_to(self.now)
        if self.freeze is not None:
            return clock.frozen(self.freeze)
        if self.advance_seconds is not None:
            return clock.advanced(timedelta(seconds=self.advance_seconds))
        return SpaceClock()


class ClockState(BaseModel):
    space: str
    now: datetime
    frozen: bool

    @classmethod
    def of(cls, space: Space) -> "ClockState":
        return cls(space=space.name, now=space.now(), frozen=space.clock.frozen_at is not None)


@router.get("/clock")
async def read_clock(space: RequestSpace) -> ClockState:
    return ClockState.of(space)


@router.put("/clock")
async def change_clock(request: Request, space: RequestSpace, change: ClockChange) -> ClockState:
    given = [change.now, change.freeze, change.advance_seconds, change.reset or None]
    if sum(value is not None for value in given) != 1:
        raise DomainError(
            Category.INCORRECT,
            "clock_change",
            "Give exactly one of now, freeze, advance_seconds and reset.",
        )
    try:
        clock = change.apply(space.clock)
    except OverflowError as error:
        raise DomainError(
            Category.INCORRECT, "clock_change", "That instant is out of range."
        ) from error
    kernel = kernel_of(request)
    async with kernel.database.write() as session:
        await store_clock(session, space.name, clock)
    await in_force_everywhere()
    return ClockState.of(await kernel.spaces.get(space.name))


@router.get("/faults")
async def read_faults(space: RequestSpace) -> list[FaultRule]:
    return list(space.faults)


@router.put("/faults")
async def replace_faults(
    request: Request,
    space: RequestSpace,
    rules: list[Annotated[FaultRule, AfterValidator(can_strike)]],
) -> list[FaultRule]:
    """Replaces all the rules of the space; an empty list ends every fault."""
    kernel = kernel_of(request)
    armed = [rule.model_copy(update={"armed_at": wall()}) for rule in rules]
    async with kernel.database.write() as session:
        await store_faults(session, space.name, armed)
    await in_force_everywhere()
    return armed


@router.get("/journal")
async def read_journal(
    request: Request,
    space: RequestSpace,
    refused: Annotated[bool, Query(description="only the requests that were refused")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    journal: Journal = request.app.state.journal
    return journal.find(space.name, refused_only=refused, limit=limit)
