"""Use case: an indicator of a beneficiary over a period, counted and compared."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import repository
from services.usage.counters import Counter, refused_documents
from services.usage.counting import DeclaredTotals, count, declared
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.engine.indicators import judge
from services.usage.domain.engine.outcome import IndicatorOutcome
from services.usage.domain.measures import Acts, ActsWith, Beneficiary, Documents
from services.usage.domain.period import Period
from services.usage.domain.rules import Indicator, Programme
from services.usage.rule_store import in_force
from socle.errors import Category, DomainError
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator of a beneficiary over a period, with everything that made it."""

    programme: Programme
    of: Beneficiary
    name: str
    window: str
    period: Period
    outcome: IndicatorOutcome
    declared: DeclaredTotals | None
    """None where no totals were told of it."""


async def measure(
    session: AsyncSession,
    space: Space,
    programme: str | None,
    code: str,
    of: Beneficiary,
    window: str | None,
    period: Period | None,
) -> Measured:
    """By default in the programme and the window that are open by the space's clock, or nearest."""
    found = await programme_with(session, space, code, programme)
    if found.beneficiary not in (of.kind, "space"):
        raise DomainError(
            Category.INCORRECT,
            "beneficiary",
            f"{code} of {found.programme} is counted for a {found.beneficiary}.",
        )
    window = window or found.nearest_window(space.now())
    if window not in found.windows:
        known = ", ".join(found.windows)
        raise DomainError(
            Category.NOT_FOUND, "window_unknown", f"{code} has no window {window}; it has {known}."
        )
    name = await name_of(session, space, of)
    period = period or found.windows[window].period
    figures, totals = await figures_told(session, space.name, found, code, of, period)
    return Measured(found, of, name, window, period, judge(found, window, code, figures), totals)


async def refused_beside(session: AsyncSession, space: str, it: Measured) -> Counter | None:
    """What the DMP refused meanwhile of the types that the numerator counts; None where it counts no
    documents."""
    numerator = it.outcome.rule.numerator
    measure = numerator.measure if numerator else None
    if not (
        isinstance(measure, Documents)
        or (isinstance(measure, ActsWith) and measure.what == "document")
    ):
        return None
    types = None if measure.types == "any" else measure.types
    return await refused_documents(session, space, it.of, it.period, types)


async def programme_with(
    session: AsyncSession, space: Space, code: str, programme: str | None
) -> Programme:
    """The programme that has the indicator; of several, the one whose window is open or nearest."""
    known = {
        name: file.book.programme for name, file in (await in_force(session, space.name)).items()
    }
    if programme is not None and programme not in known:
        raise DomainError(
            Category.NOT_FOUND,
            "programme_unknown",
            f"No programme {programme}; known are {', '.join(known)}.",
        )
    candidates = [
        rules
        for name, rules in known.items()
        if code in rules.indicators and programme in (None, name)
    ]
    if not candidates:
        where = [programme] if programme else list(known)
        codes = ", ".join(code for name in where for code in known[name].indicators)
        raise DomainError(
            Category.NOT_FOUND, "indicator_unknown", f"No indicator {code}; known are {codes}."
        )
    now = space.now()
    return min(candidates, key=lambda rules: rules.distance(rules.nearest_window(now), now))


async def name_of(session: AsyncSession, space: Space, of: Beneficiary) -> str:
    """The name of a structure; professionals and spaces have none here."""
    if of.kind != "structure":
        return ""
    name = await repository.get_structure_name(session, space.name, of.number)
    if name is None:
        raise DomainError(
            Category.NOT_FOUND,
            "structure_unknown",
            f"Structure {of.number} is not declared in this space; "
            f"PUT /usage/structures/{of.number} declares it, and its documents leave quarantine.",
        )
    return name


async def figures_of(
    session: AsyncSession,
    space: str,
    programme: Programme,
    rule: Indicator,
    of: Beneficiary,
    period: Period,
) -> IndicatorFigures | None:
    """What the counters know of an indicator; None where they count nothing of the kind."""
    sides = [side for side in (rule.numerator, rule.denominator) if side is not None]
    measures = [side.measure for side in sides if side.measure is not None]
    if not measures or len(measures) < len(sides):
        return None
    counted = [
        await count(session, space, wanted, of, period, programme.counting) for wanted in measures
    ]
    return IndicatorFigures(
        numerator=counted[0], denominator=counted[1] if len(counted) > 1 else None
    )


async def figures_told(
    session: AsyncSession,
    space: str,
    programme: Programme,
    code: str,
    of: Beneficiary,
    period: Period,
) -> tuple[IndicatorFigures | None, DeclaredTotals | None]:
    """What the counters know of an indicator, with the totals that were declared of it where they stand
    in; and these totals."""
    rule = programme.indicators[code]
    figures = await figures_of(session, space, programme, rule, of, period)
    totals = await declared_of(session, space, code, rule, of, period)
    if not totals.months:
        return figures, None
    if rule.decided_by == "attested" and totals.numerator is not None:
        figures = None  # what is attested counts, and what was counted stands beside it
    return with_declared(programme, rule, figures, totals), totals


async def declared_of(
    session: AsyncSession, space: str, code: str, rule: Indicator, of: Beneficiary, period: Period
) -> DeclaredTotals:
    """The totals of an indicator; without a denominator of its own, that of the kind of acts which it is
    a share of (`report.validated/biology` for SU4)."""
    totals = await declared(session, space, code, of, period)
    acts = rule.denominator.measure if rule.denominator else None
    if totals.denominator is not None or not isinstance(acts, Acts) or acts.without is not None:
        return totals
    item = acts.activity if acts.domain is None else f"{acts.activity}/{acts.domain}"
    of_kind = await declared(session, space, item, of, period)
    if of_kind.denominator is None:
        return totals
    return DeclaredTotals(totals.numerator, of_kind.denominator, max(totals.months, of_kind.months))


def with_declared(
    rules: Programme, rule: Indicator, counted: IndicatorFigures | None, totals: DeclaredTotals
) -> IndicatorFigures | None:
    """A declared denominator stands in where no act was declared one by one; a declared numerator
    pays only where the rule file says so (spec: usage.md §14)."""
    if rule.kind not in ("rate", "count"):
        return counted
    numerator = counted.numerator if counted else None
    denominator = counted.denominator if counted else None
    if counted is None or rules.counting.numerator == "declared":
        numerator = totals.numerator
    if not denominator and totals.denominator is not None:
        denominator = totals.denominator
    if numerator is None or (rule.kind == "rate" and denominator is None):
        return counted
    return IndicatorFigures(
        numerator=numerator, denominator=denominator if rule.kind == "rate" else None
    )
