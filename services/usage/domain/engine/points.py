"""Points at a price: forfait structure and DONUM (spec: usage.md §5 and §7)."""

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
from services.usage.domain.rules.money import Points

_NONE = Fraction(0)


def pay(
    programme: Programme,
    money: Points,
    window: str,
    inputs: Inputs,
    indicators: Mapping[str, IndicatorOutcome],
    statuses: Mapping[str, Status],
    ledger: Ledger,
) -> Payment:
    """A group that is judged as a whole brings its points or none, and may lock another one; in the
    others each met indicator brings its own. All groups complete bring the programme's maximum."""
    groups: dict[str, GroupOutcome] = {}
    complete = {
        name: statuses[name] is Status.MET
        and (
            rule.policy != "each"
            or name in inputs.attained
            or (rule.exhaustive and _each_is_met(programme, name, indicators))
        )
        for name, rule in programme.groups.items()
    }
    at_maximum = money.maximum is not None and all(complete.values())
    for name, rule in programme.groups.items():
        if rule.locked_by is not None and not complete[rule.locked_by]:
            groups[name] = GroupOutcome(name, rule, statuses[name], "locked", points=_NONE)
            continue
        if not at_maximum:
            _use_targets(programme, window, name, indicators, inputs, ledger)
        points = _points(programme, name, complete[name], indicators, ledger, quiet=at_maximum)
        reason = "" if points else "not_reached"
        if reason and statuses[name] is Status.MET:
            reason = "points_unknown"
        groups[name] = GroupOutcome(name, rule, statuses[name], reason, points=points)
    total = sum((group.points or _NONE for group in groups.values()), _NONE)
    if (at_maximum and money.maximum is not None) or (
        money.maximum is not None and total > money.maximum.value
    ):
        total = ledger.use("money/maximum", money.maximum)
    exact = total * money.point_value.value
    if total:
        ledger.use("money/point_value", money.point_value)
    steps = (Step("points", total), Step("point_value", exact, money.point_value.value))
    return Payment(exact, groups, steps, points=total)


def _each_is_met(
    programme: Programme, group: str, indicators: Mapping[str, IndicatorOutcome]
) -> bool:
    return all(indicators[code].status is Status.MET for code in programme.members(group))


def _points(
    programme: Programme,
    group: str,
    complete: bool,
    indicators: Mapping[str, IndicatorOutcome],
    ledger: Ledger,
    *,
    quiet: bool,
) -> Fraction:
    """`quiet`: the programme's maximum stands in for the figures of its groups."""
    rule = programme.groups[group]
    ledger = Ledger() if quiet else ledger
    if rule.policy != "each":
        if not complete:
            return _NONE
        if rule.points is None:
            ledger.miss(f"groups/{group}/points", "points")
            return _NONE
        return ledger.use(f"groups/{group}/points", rule.points)
    if complete and rule.maximum is not None:
        return ledger.use(f"groups/{group}/maximum", rule.maximum)
    total = _NONE
    for code, member in programme.members(group).items():
        granted = member.neutralised == "granted" and indicators[code].status is Status.NEUTRALISED
        if not granted and indicators[code].status is not Status.MET:
            continue
        if member.points is None:
            ledger.miss(f"indicators/{code}/points", "points")
        else:
            total += ledger.use(f"indicators/{code}/points", member.points)
    if rule.maximum is not None and total > rule.maximum.value:
        return ledger.use(f"groups/{group}/maximum", rule.maximum)
    return total


def _use_targets(
    programme: Programme,
    window: str,
    group: str,
    indicators: Mapping[str, IndicatorOutcome],
    inputs: Inputs,
    ledger: Ledger,
) -> None:
    """The targets that counts were held against; what is stated was held against none."""
    if group in inputs.attained:
        return
    for code, rule in programme.members(group).items():
        outcome = indicators[code]
        counted = outcome.status in (Status.MET, Status.NOT_MET, Status.UNKNOWN)
        if not counted or outcome.stated:
            continue
        path = f"indicators/{code}/targets/{window}"
        if rule.targets.get(window) is None:
            ledger.miss(path, "percent")
        else:
            ledger.use(path, rule.targets[window])
