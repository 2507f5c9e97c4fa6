"""The VSM forfait: the highest tier reached, weighted, with a bonus (spec: usage.md §6)."""

from collections.abc import Mapping
from fractions import Fraction

from services.usage.domain.engine.inputs import Inputs
from services.usage.domain.engine.outcome import (
    GroupOutcome,
    IndicatorOutcome,
    Ledger,
    Payment,
    Step,
)
from services.usage.domain.rate import Status
from services.usage.domain.rules import Programme
from services.usage.domain.rules.money import Tier, Tiers

_NONE = Fraction(0)


def pay(
    programme: Programme,
    money: Tiers,
    window: str,
    inputs: Inputs,
    indicators: Mapping[str, IndicatorOutcome],
    statuses: Mapping[str, Status],
    ledger: Ledger,
) -> Payment:
    """`E = tier * patientèle / reference * (1 + bonus)`, never rounded on the way."""
    outcome = indicators[money.indicator]
    group = outcome.rule.group

    def nothing(reason: str, *steps: Step) -> Payment:
        bare = GroupOutcome(
            group, programme.groups[group], outcome.status, reason, steps, amount=_NONE
        )
        return Payment(_NONE, {group: bare}, steps)

    reached = _tier(money, outcome)
    if reached is None:
        ledger.use("money/tiers/0/threshold", money.tiers[0].threshold)
        return nothing("not_reached")
    period = programme.windows[window].period
    if inputs.reached_at is not None and inputs.reached_at >= period.ends_at:
        return nothing("after_deadline")
    index, tier = reached
    ledger.use(f"money/tiers/{index}/threshold", tier.threshold)
    amount = ledger.use(f"money/tiers/{index}/amount", tier.amount)
    steps = [Step("tier", amount, tier.threshold.value)]
    patients = Fraction(inputs.patientele or 0)
    weight = patients / ledger.use("money/weight", money.weight)
    if money.weight.capped:
        weight = min(weight, Fraction(1))
    amount *= weight
    steps.append(Step("weight", amount, weight))
    if _is_structured(money, outcome, indicators[money.bonus.indicator]):
        ledger.use("money/bonus/threshold", money.bonus.threshold)
        amount *= 1 + ledger.use("money/bonus", money.bonus) / 100
        steps.append(Step("bonus", amount, money.bonus.value))
    already = sum((paid.amount for paid in inputs.paid), _NONE)
    if already and money.paid_once:
        if not money.top_up:
            return nothing("already_paid", *steps)
        amount = max(amount - already, _NONE)
        steps.append(Step("already_paid", amount, already))
    whole = GroupOutcome(
        group, programme.groups[group], outcome.status, "", tuple(steps), amount=amount
    )
    return Payment(amount, {group: whole}, tuple(steps))


def _tier(money: Tiers, outcome: IndicatorOutcome) -> tuple[int, Tier] | None:
    """The highest tier that the exact share reaches."""
    if outcome.value is None or outcome.status is Status.DATA_ERROR:
        return None
    reached = [
        (index, tier)
        for index, tier in enumerate(money.tiers)
        if outcome.value >= tier.threshold.value
    ]
    return max(reached, key=lambda pair: pair[1].threshold.value, default=None)


def _is_structured(money: Tiers, outcome: IndicatorOutcome, structured: IndicatorOutcome) -> bool:
    if not structured.numerator or outcome.numerator is None:
        return False
    if structured.status is Status.DATA_ERROR:
        return False
    whole = outcome.numerator if money.bonus.base == "with_document" else outcome.denominator
    if not whole or structured.numerator > outcome.numerator:
        return False
    share, threshold = Fraction(structured.numerator, whole), money.bonus.threshold.value
    return share > threshold if money.bonus.comparison == ">" else share >= threshold
