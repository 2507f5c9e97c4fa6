"""Use cases: count what events say, declare activity, compute an indicator."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import repository
from services.usage.domain.acts import Act
from services.usage.domain.period import Period
from services.usage.domain.rate import Rate, Status
from services.usage.domain.rules import Indicator, Programme, Target
from services.usage.events import (
    ACTIVITY_DECLARED,
    DOCUMENT_DELETED,
    DOCUMENT_REGISTERED,
    DeclaredActivity,
    DeletedDocument,
    RegisteredDocument,
    activity_declared,
)
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.events.envelope import Event, parse_data
from socle.events.outbox import publish
from socle.spaces import Space


async def apply_events(session: WriteSession, events: Sequence[Event]) -> None:
    """The consumer's handler: types that do not count are none of its business."""
    documents = [
        (event.space, event.id, parse_data(RegisteredDocument, event))
        for event in events
        if event.type == DOCUMENT_REGISTERED
    ]
    acts = [
        (event.space, _act(parse_data(DeclaredActivity, event)))
        for event in events
        if event.type == ACTIVITY_DECLARED
    ]
    deletions = [
        (event.space, parse_data(DeletedDocument, event))
        for event in events
        if event.type == DOCUMENT_DELETED
    ]
    if documents:
        await repository.insert_documents(session, documents)
    if deletions:
        await repository.insert_withdrawals(session, deletions)
    if acts:
        await repository.insert_acts(session, acts)


def _act(data: DeclaredActivity) -> Act:
    return Act(data.kind, data.structure, data.act_id, data.domain, data.act_at)


async def declare_activity(session: WriteSession, space: Space, acts: Sequence[Act]) -> None:
    """Counts at once, and tells the log, from which a recount gives the same figures."""
    await repository.insert_acts(session, [(space.name, act) for act in acts])
    await publish(
        session, "usage", [activity_declared(space.name, act, space.now()) for act in acts]
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """An indicator of a structure over a period, with everything that made it."""

    code: str
    rule: Indicator
    structure: str
    structure_name: str
    window: str
    period: Period
    rate: Rate
    target: Target

    @property
    def status(self) -> Status:
        return self.rate.status(self.target.value)


async def measure(
    session: AsyncSession,
    space: Space,
    programme: Programme,
    code: str,
    structure: str,
    window: str | None,
    period: Period | None,
) -> Measure:
    """By default over the window that is open by the space's clock, or the nearest one."""
    rule = programme.indicators.get(code)
    if rule is None:
        known = ", ".join(sorted(programme.indicators))
        raise DomainError(
            Category.NOT_FOUND, "indicator_unknown", f"No indicator {code}; known are {known}."
        )
    window = window or programme.nearest_window(space.now())
    if window not in rule.targets:
        known = ", ".join(sorted(rule.targets))
        raise DomainError(
            Category.NOT_FOUND, "window_unknown", f"{code} has no window {window}; it has {known}."
        )
    name = await repository.get_structure_name(session, space.name, structure)
    if name is None:
        raise DomainError(
            Category.NOT_FOUND,
            "structure_unknown",
            f"Structure {structure} is not declared in this space; "
            f"PUT /usage/structures/{structure} declares it, and its documents leave quarantine.",
        )
    period = period or programme.windows[window].period
    rate = Rate(
        await repository.count_documents(session, space.name, structure, rule, period),
        await repository.count_acts(session, space.name, structure, rule, period),
    )
    return Measure(code, rule, structure, name, window, period, rate, rule.targets[window])
