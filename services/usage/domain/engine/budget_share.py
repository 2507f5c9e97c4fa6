"""SUN-ES: the share of a domain's budget, the window's rate, the cap (spec: usage.md §3.1)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from services.usage.domain.engine.inputs import Inputs, Paid, base_of
from services.usage.domain.engine.outcome import (
    GroupOutcome,
    IndicatorOutcome,
    Ledger,
    Payment,
    Step,
)
from services.usage.domain.rate import ASIDE, Status
from services.usage.domain.rules import Programme
from services.usage.domain.rules.money import BudgetShare


def pay(
    programme: Programme,
    money: BudgetShare,
    window: str,
    inputs: Inputs,
    indicators: Mapping[str, IndicatorOutcome],
    statuses: Mapping[str, Status],
    ledger: Ledger,
) -> Payment:
    """One payment: all the domains of one window together. Exact; the caller rounds, once."""
    groups: dict[str, GroupOutcome] = {}
    bases: dict[str, Fraction] = {}
    for name, rule in programme.groups.items():
        base = base_of(programme, inputs, name)
        if base is None:
            continue
        if name not in inputs.base and rule.budget is not None:
            ledger.use(f"groups/{name}/budget", rule.budget)
        reason = _ineligible(programme, money, inputs, name)
        if not reason:
            _use_targets(programme, window, name, indicators, ledger)
            reason = "" if statuses[name] is Status.MET else "not_reached"
        if reason:
            groups[name] = GroupOutcome(
                name, rule, statuses[name], reason, (Step("base", base),), amount=Fraction(0)
            )
        else:
            bases[name] = base
    rate = money.rates[window].value / 100
    if bases:
        ledger.use(f"money/rates/{window}", money.rates[window])
    for name, base in bases.items():
        before = [paid for paid in inputs.paid if paid.group == name]
        steps, amount = _of_domain(money, base, rate, before, ledger)
        groups[name] = GroupOutcome(
            name, programme.groups[name], statuses[name], "", steps, amount=amount
        )
    ordered = {name: groups[name] for name in programme.groups if name in groups}
    due = sum((group.amount or Fraction(0) for group in groups.values()), Fraction(0))
    steps, exact = _of_establishment(money, due, rate, inputs, ledger)
    return Payment(exact, ordered, steps)


def _ineligible(programme: Programme, money: BudgetShare, inputs: Inputs, group: str) -> str:
    """Why a domain cannot be paid, whatever was reached. What is not stated is taken as fulfilled,
    and shown as not stated."""
    if inputs.prerequisites is not None and not all(
        inputs.prerequisites.get(name, False) for name in programme.prerequisites
    ):
        return "prerequisites"
    for condition in programme.groups[group].requires:
        if inputs.own.get(condition) is False:
            return condition
    if money.paid_once and any(paid.group == group and paid.amount > 0 for paid in inputs.paid):
        return "already_paid"
    return ""


def _use_targets(
    programme: Programme,
    window: str,
    group: str,
    indicators: Mapping[str, IndicatorOutcome],
    ledger: Ledger,
) -> None:
    """The targets that decided whether the domain is reached."""
    for code, rule in programme.members(group).items():
        if indicators[code].status in ASIDE:
            continue
        target, path = rule.targets.get(window), f"indicators/{code}/targets/{window}"
        if target is None:
            ledger.miss(path, "percent")
        else:
            ledger.use(path, target)


def _of_domain(
    money: BudgetShare, base: Fraction, rate: Fraction, before: Sequence[Paid], ledger: Ledger
) -> tuple[tuple[Step, ...], Fraction]:
    """`before` is what the domain was paid in earlier windows, where it may be paid again."""
    cap, steps, amount = money.cap, [Step("base", base)], base
    capped = cap.scope == "domain"
    left = _left(money, before) if capped else amount
    if cap.order == "first" and amount > left:
        ledger.use("money/cap", cap)
        amount = left
        steps.append(Step("cap", amount, cap.value))
    amount *= rate
    steps.append(Step("window_rate", amount, rate * 100))
    if capped and cap.order == "last" and amount > left:
        ledger.use("money/cap", cap)
        amount = left
        steps.append(Step("cap", amount, cap.value))
    return tuple(steps), amount


def _of_establishment(
    money: BudgetShare, due: Fraction, rate: Fraction, inputs: Inputs, ledger: Ledger
) -> tuple[tuple[Step, ...], Fraction]:
    """The sum of the domains, its floor, and what is left of the cap after earlier payments."""
    cap, steps, amount = money.cap, [Step("sum", due)], due
    if 0 < amount < money.floor.value:
        amount = ledger.use("money/floor", money.floor)
        steps.append(Step("floor", amount, money.floor.value))
    if cap.scope == "establishment":
        left = _left(money, inputs.paid) * (rate if cap.order == "first" else 1)
        if amount > left:
            ledger.use("money/cap", cap)
            amount = left
            steps.append(Step("cap", amount, cap.value))
    return tuple(steps), amount


def _left(money: BudgetShare, before: Sequence[Paid]) -> Fraction:
    """Of the cap after earlier payments: in euros paid, or in bases where it comes before the rate."""
    if money.cap.order == "last":
        spent = sum((paid.amount for paid in before), Fraction(0))
    else:
        spent = sum((paid.amount / _rate(money, paid.window) for paid in before), Fraction(0))
    return max(money.cap.value - spent, Fraction(0))


def _rate(money: BudgetShare, window: str) -> Fraction:
    """A window's rate; a rule file may give one of zero, which paid nothing."""
    return (money.rates[window].value / 100) or Fraction(1)
