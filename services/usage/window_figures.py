"""Figures of one window: what was counted, what was declared of it, and which of them counts."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import sas
from services.usage.comparisons import Comparison, beside
from services.usage.counting import Attested, DeclaredTotals, attestations
from services.usage.domain.dossier import Dossier
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period
from services.usage.domain.rules import Indicator, Programme
from services.usage.indicators import declared_of, figures_of, with_declared
from services.usage.referencing import today
from socle.spaces import Space


async def counted(
    session: AsyncSession,
    space: Space,
    rules: Programme,
    of: Beneficiary,
    period: Period,
    dossier: Dossier,
    comparisons: dict[str, Comparison],
) -> tuple[dict[str, IndicatorFigures], dict[str, DeclaredTotals]]:
    """Figures of the indicators that the sandbox counts, and what was declared of each; adds to the
    comparisons those that are attested and counted."""
    figures: dict[str, IndicatorFigures] = {}
    told: dict[str, DeclaredTotals] = {}
    for code, rule in rules.indicators.items():
        if rule.attested_by == "sas":
            attested = await _attested(session, space, rule, of, period)
            found, comparisons[code] = await sas.judge(
                session, space, rules, rule, of, period, attested
            )
        else:
            found = await _of_indicator(session, space, rules, rule, of, period)
        totals = await declared_of(session, space.name, code, rule, of, period)
        if totals.months:
            told[code] = totals
        if rule.decided_by == "attested":
            comparisons[code], found = beside(
                rule, dossier.figures.get(code), told.get(code), found
            )
        elif totals.months:
            found = with_declared(rules, rule, found, totals)
        if found is not None:
            figures[code] = found
    return figures, told


async def _of_indicator(
    session: AsyncSession,
    space: Space,
    rules: Programme,
    rule: Indicator,
    of: Beneficiary,
    period: Period,
) -> IndicatorFigures | None:
    if rule.attested_by is None:
        return await figures_of(session, space.name, rules, rule, of, period)
    attested = await _attested(session, space, rule, of, period)
    return IndicatorFigures(attained="met") if attested else None


async def _attested(
    session: AsyncSession, space: Space, rule: Indicator, of: Beneficiary, period: Period
) -> Attested | None:
    """What is in force on the last day of the period, or today."""
    last = min(period.end - timedelta(days=1), today(space))
    in_force = await attestations(session, space.name, of.number, on=last)
    return next((it for it in in_force if it.kind == rule.attested_by), None)
