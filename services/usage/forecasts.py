"""Use case: what a structure or a professional still needs to reach its targets."""

from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.engine import IndicatorOutcome
from services.usage.domain.engine.indicators import threshold
from services.usage.domain.measures import Beneficiary
from services.usage.domain.missing import Days, Missing, of_count, of_rate
from services.usage.domain.rules import Programme
from services.usage.domain.rules.money import Tiers
from services.usage.payments import Payments, Window, payments
from services.usage.rule_store import book_of
from socle.clock import PARIS
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Forecast:
    payments: Payments
    window: Window
    days: Days
    missing: dict[str, list[Missing]]
    """By indicator, one for each target: a forfait by tiers has several."""


async def forecast(
    session: AsyncSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    acts_per_day: Fraction | None,
) -> Forecast:
    """For the window asked for, or the one that is open or nearest by the space's clock."""
    rules = (await book_of(session, space.name, programme)).book.programme
    window = window or rules.nearest_window(space.now())
    found = await payments(
        session, space, programme, of, window, {}, euros=False, allow_unverified=True
    )
    it = found.windows[-1]
    days = Days.of(it.period, space.now().astimezone(PARIS).date())
    return Forecast(found, it, days, missing_of(found.programme, it, days, acts_per_day))


def missing_of(
    rules: Programme, it: Window, days: Days, acts_per_day: Fraction | None = None
) -> dict[str, list[Missing]]:
    return {
        code: each
        for code, outcome in it.outcome.indicators.items()
        if (each := _of_indicator(rules, it, outcome, days, acts_per_day))
    }


def _of_indicator(
    rules: Programme,
    it: Window,
    outcome: IndicatorOutcome,
    days: Days,
    acts_per_day: Fraction | None,
) -> list[Missing]:
    """Nothing for what is not counted, or has no target."""
    if outcome.numerator is None or outcome.target is None:
        return []
    closed = it.state == "closed"
    if outcome.denominator is None:
        target = threshold(outcome.target)
        return [of_count(outcome.numerator, target, days, per_day=acts_per_day, closed=closed)]
    targets = [threshold(outcome.target)]
    if isinstance(rules.money, Tiers) and outcome.code == rules.money.indicator:
        targets = [tier.threshold.value for tier in rules.money.tiers]
    if isinstance(rules.money, Tiers):
        acts_per_day = Fraction(0)  # a list of patients, not a flow of acts
    strict = outcome.target.comparison == ">"
    return [
        of_rate(
            outcome.numerator,
            outcome.denominator,
            target,
            days,
            strict=strict,
            acts_per_day=acts_per_day,
            closed=closed,
        )
        for target in targets
    ]
