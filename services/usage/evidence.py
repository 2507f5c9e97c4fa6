"""Use cases: the documents behind a figure, and what one document counts for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import evidence_repository, repository
from services.usage.counting import national_id
from services.usage.domain.evidence import LogicalDocument, reason_against
from services.usage.domain.measures import Beneficiary, CountingPolicy, Documents
from services.usage.domain.period import Period
from services.usage.domain.rules import Programme
from services.usage.indicators import name_of, programme_with
from services.usage.rule_store import in_force
from socle.errors import Category, DomainError
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Judged:
    """A document held against one indicator."""

    document: LogicalDocument
    programme: Programme
    code: str
    window: str
    reason: str | None
    """None where it counts."""


@dataclass(frozen=True, slots=True)
class Found:
    document: LogicalDocument
    is_quarantined: bool
    """Its structure is not declared in the space."""
    judged: list[Judged]


async def document_of(session: AsyncSession, space: Space, unique_id: str) -> Found:
    """What the document with this uniqueId counts for, in every window that holds its act."""
    chains = await evidence_repository.chains_of(session, space.name, unique_id)
    documents = await evidence_repository.load(session, space.name, chains)
    if not documents:
        raise DomainError(
            Category.NOT_FOUND,
            "document_unknown",
            "No registration of this uniqueId was heard here; events may be on their way.",
        )
    document = documents[0]
    judged: list[Judged] = []
    for file in (await in_force(session, space.name)).values():
        rules = file.book.programme
        if rules.beneficiary == "professional" and not document.origin.professional:
            continue
        window = rules.window_at(document.origin.act_at)
        if window is not None:
            judged += _judge_all(document, rules, window)
    known = await repository.get_structure_name(session, space.name, document.origin.structure)
    return Found(document, known is None, judged)


def _judge_all(document: LogicalDocument, rules: Programme, window: str) -> list[Judged]:
    period = rules.windows[window].period
    closes = closing(rules.counting, period)
    return [
        Judged(
            document, rules, code, window,
            reason_against(document, rule.numerator.measure, rules.counting, period, closes),
        )
        for code, rule in rules.indicators.items()
        if rule.numerator is not None
        and rule.numerator.measure is not None
        and rule.numerator.measure.count in ("documents", "acts_with")
        and getattr(rule.numerator.measure, "what", "document") == "document"
    ]  # fmt: skip


def closing(policy: CountingPolicy, period: Period) -> datetime | None:
    """When a period closes; None where what comes later still changes it."""
    return None if policy.late_delete == "kept" else policy.closes_at(period)


async def documents_behind(
    session: AsyncSession,
    space: Space,
    programme: str | None,
    code: str,
    of: Beneficiary,
    window: str | None,
    after: UUID | None,
    limit: int,
) -> tuple[Programme, str, Sequence[Judged]]:
    """The documents of a numerator and those beside it, a page at a time."""
    rules = await programme_with(session, space, code, programme)
    window = window or rules.nearest_window(space.now())
    if window not in rules.windows:
        known = ", ".join(rules.windows)
        raise DomainError(
            Category.NOT_FOUND, "window_unknown", f"{code} has no window {window}; it has {known}."
        )
    await name_of(session, space, of)
    numerator = rules.indicators[code].numerator
    measure = numerator.measure if numerator else None
    if not isinstance(measure, Documents):
        raise DomainError(
            Category.UNPROCESSABLE, "not_of_documents", f"{code} does not count documents."
        )
    period = rules.windows[window].period
    chains = await evidence_repository.chains_between(
        session,
        space.name,
        of.number if of.kind == "structure" else None,
        national_id(of.number) if of.kind == "professional" else None,
        None if measure.types == "any" else measure.types,
        (period.starts_at, period.ends_at),
        after,
        limit,
    )
    closes = closing(rules.counting, period)
    documents = await evidence_repository.load(session, space.name, chains)
    return (
        rules,
        window,
        [
            Judged(
                it, rules, code, window, reason_against(it, measure, rules.counting, period, closes)
            )
            for it in documents
        ],
    )
