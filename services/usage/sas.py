"""Use cases: open hours of a professional, and whether they suffice for the SAS."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import sas_repository as repository
from services.usage.comparisons import Comparison
from services.usage.counting import Attested, national_id
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period, paris_midnight
from services.usage.domain.rules import Indicator, Programme
from services.usage.domain.sas_hours import WEEK, hours_by_week, reached, whole_weeks
from services.usage.referencing import today
from socle.spaces import Space


async def weekly_hours(
    session: AsyncSession, space: Space, professional: str, start: date, end: date
) -> dict[date, Fraction]:
    """Of the weeks that lie whole in the span and are over by the space's clock."""
    weeks = whole_weeks(start, min(end, today(space)))
    if not weeks:
        return {}
    slots = await repository.between(
        session, space.name, national_id(professional),
        paris_midnight(weeks[0]), paris_midnight(weeks[-1] + WEEK),
    )  # fmt: skip
    return hours_by_week(slots, weeks)


async def judge(
    session: AsyncSession,
    space: Space,
    rules: Programme,
    rule: Indicator,
    of: Beneficiary,
    period: Period,
    attested: Attested | None,
) -> tuple[IndicatorFigures | None, Comparison]:
    """Taking part, and open hours where slots were told. `counting.sas` says whether hours decide."""
    figures = IndicatorFigures(attained="met") if attested else None
    comparison = Comparison(rule, figures, decides="attested" if attested else None)
    if rule.open_hours is None or attested is None:
        return figures, comparison
    start = max(period.start, attested.since)
    # The day of `au` is the last one.
    over = period.end if attested.until is None else attested.until + timedelta(days=1)
    end = min(period.end, over)
    weeks = await weekly_hours(session, space, of.number, start, end)
    if not any(weeks.values()):
        return figures, comparison  # no slot was told
    policy = rules.counting.sas
    enough = reached(weeks, rule.open_hours.value, policy)
    observed = IndicatorFigures(attained="met" if enough else "not_met")
    comparison = replace(comparison, rule=rule.open_hours, observed=observed)
    if policy == "attested":
        return figures, comparison
    return observed, replace(comparison, decides="observed")
