"""What the parts of a rule file say of one another: names that exist, sums, figures in force."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from services.usage.domain.rules.figures import Figure
from services.usage.domain.rules.money import BudgetShare, Points, Tiers

if TYPE_CHECKING:
    from services.usage.domain.rules.programme import Programme

MAX_ALTERNATIVES = 100  # that change the file: each result is held against each of them


def inconsistencies(programme: "Programme") -> Iterator[str]:
    yield from _loose_names(programme)
    yield from _wrong_sums(programme)
    yield from _out_of_force(programme)
    yield from _out_of_reach(programme)


def _loose_names(programme: "Programme") -> Iterator[str]:
    groups, indicators, money = programme.groups, programme.indicators, programme.money
    for code, indicator in indicators.items():
        if indicator.group not in groups:
            yield f"indicator {code} is of group {indicator.group}, which does not exist"
    for name, group in groups.items():
        if group.locked_by is not None and group.locked_by not in groups:
            yield f"group {name} is locked by {group.locked_by}, which does not exist"
    for what, figures in _by_window(programme):
        unknown = figures.keys() - programme.windows.keys()
        if unknown:
            yield f"{what} has figures for windows that do not exist: {sorted(unknown)}"
    if isinstance(money, BudgetShare):
        missing = programme.windows.keys() - money.rates.keys()
        if missing:
            yield f"money has no rates for the windows {sorted(missing)}"
    if isinstance(money, Tiers):
        for code in {money.indicator, money.bonus.indicator} - indicators.keys():
            yield f"money looks at indicator {code}, which does not exist"


def _wrong_sums(programme: "Programme") -> Iterator[str]:
    budgets = [group.budget.value for group in programme.groups.values() if group.budget]
    if programme.budget and budgets and sum(budgets) != programme.budget.value:
        yield f"the groups' budgets make {sum(budgets)}, the budget is {programme.budget.value}"
    shares = sum(step.share.value for step in programme.payment.values())
    if programme.payment and shares != 100:
        yield f"the payment steps make {shares} per cent, not 100"
    if "regularisation" in programme.payment:
        yield "regularisation is no step of a programme: it follows from what was paid"
    changing = sum(
        bool(it.set) for option in programme.options.values() for it in option.alternatives.values()
    )
    if changing > MAX_ALTERNATIVES:
        yield f"{changing} alternatives change the file, {MAX_ALTERNATIVES} at most may"


def _out_of_force(programme: "Programme") -> Iterator[str]:
    """Figures that are not in force when a window starts for which they are computed with."""
    for what, figures in _by_window(programme):
        for name, figure in figures.items():
            window = programme.windows.get(name)
            if window is not None and not figure.in_force(window.start):
                yield f"{what}: the figure of {name} is not in force when it starts"
    for what, figure in _of_every_window(programme):
        for name, window in programme.windows.items():
            if not figure.in_force(window.start):
                yield f"{what} is not in force when {name} starts"


def _by_window(programme: "Programme") -> Iterator[tuple[str, Mapping[str, Figure]]]:
    for code, indicator in programme.indicators.items():
        yield f"indicator {code}", indicator.targets
    if isinstance(programme.money, BudgetShare):
        yield "money/rates", programme.money.rates


def _of_every_window(programme: "Programme") -> Iterator[tuple[str, Figure]]:
    for name, group in programme.groups.items():
        for part, figure in (
            ("budget", group.budget), ("points", group.points), ("maximum", group.maximum),
        ):  # fmt: skip
            if figure is not None:
                yield f"group {name}: {part}", figure
    for code, indicator in programme.indicators.items():
        if indicator.points is not None:
            yield f"indicator {code}: points", indicator.points
    match programme.money:
        case BudgetShare(cap=cap, floor=floor):
            yield from (("cap", cap), ("floor", floor))
        case Points(point_value=value, maximum=maximum):
            yield "point_value", value
            if maximum is not None:
                yield "maximum", maximum
        case Tiers(tiers=tiers, weight=weight, bonus=bonus):
            yield from (("weight", weight), ("bonus", bonus), ("bonus/threshold", bonus.threshold))
            for tier in tiers:
                yield from (("tier/threshold", tier.threshold), ("tier/amount", tier.amount))


def _out_of_reach(programme: "Programme") -> Iterator[str]:
    """A part of a whole is never more than all of it."""
    for code, indicator in programme.indicators.items():
        if indicator.kind not in ("rate", "mean"):
            continue
        for window, target in indicator.targets.items():
            if target.value > (1 if target.unit == "ratio" else 100):
                yield f"the target of {code} in {window} is more than the whole"
    if isinstance(programme.money, Tiers):
        for number, tier in enumerate(programme.money.tiers):
            if tier.threshold.value > 100:
                yield f"the threshold of tier {number} is more than 100 per cent"
