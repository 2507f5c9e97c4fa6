"""One indicator, and groups of them: counted, compared, judged (spec: usage.md §3, §5.3, §6)."""

from fractions import Fraction
from typing import Literal

from services.usage.domain.engine.inputs import DocumentGroup, IndicatorFigures
from services.usage.domain.engine.outcome import Breakdown, IndicatorOutcome
from services.usage.domain.measures import ActsWith, Documents, Measure
from services.usage.domain.rate import ASIDE, Rate, Status, compared
from services.usage.domain.rules import Indicator, Programme, Target


def judge(
    programme: Programme, window: str, code: str, figures: IndicatorFigures | None
) -> IndicatorOutcome:
    """Never rounds: the status follows from whole numbers and fractions alone."""
    rule = programme.indicators[code]
    target = rule.targets.get(window)
    aside = _set_aside(programme, window, rule)
    if figures is None or aside is Status.NOT_IN_FORCE:
        return IndicatorOutcome(code, rule, aside or Status.NOT_STATED, target=target)
    if figures.attained is not None:
        said = Status.MET if figures.attained == "met" else Status.NOT_MET
        return IndicatorOutcome(code, rule, aside or said, target=target, stated=True)
    if figures.rates:
        mean = sum(figures.rates.values(), Fraction()) / len(figures.rates)
        return IndicatorOutcome(
            code, rule, aside or _against(mean, target), value=mean, target=target
        )
    breakdown = (
        None if figures.documents is None else _broken_down(programme, rule, figures.documents)
    )
    numerator = breakdown.counted if breakdown else figures.numerator or 0
    if rule.kind == "count":
        return IndicatorOutcome(
            code, rule, aside or _against(Fraction(numerator), target), numerator,
            value=Fraction(numerator), target=target, breakdown=breakdown,
        )  # fmt: skip
    rate = Rate(numerator, figures.denominator or 0)
    wanted = None if target is None else threshold(target)
    status = rate.status(wanted, target.comparison if target else ">=")
    return IndicatorOutcome(
        code, rule, aside or status, rate.numerator, rate.denominator, rate.value, target,
        breakdown=breakdown,
    )  # fmt: skip


def threshold(target: Target) -> Fraction:
    """In the unit of the value: per cent for a rate, a number for a count."""
    return target.value * 100 if target.unit == "ratio" else target.value


def _against(value: Fraction, target: Target | None) -> Status:
    if target is None:
        return Status.UNKNOWN
    return compared(value, threshold(target), target.comparison)


def _set_aside(programme: Programme, window: str, rule: Indicator) -> Status | None:
    if rule.in_force is not None:
        first = programme.windows[window].start
        if not rule.in_force.start <= first < rule.in_force.end:
            return Status.NOT_IN_FORCE
    return None if rule.neutralised == "no" else Status.NEUTRALISED


def _broken_down(programme: Programme, rule: Indicator, given: list[DocumentGroup]) -> Breakdown:
    """Counts what the numerator's measure counts; says of the rest why not."""
    measure = rule.numerator.measure if rule.numerator else None
    counted, left_out = 0, dict[str, int]()
    for group in given:
        reason = _reason(programme, measure, group)
        if reason is None:
            by_act = isinstance(measure, ActsWith) or (
                isinstance(measure, Documents) and measure.unit == "act"
            )
            of_acts = group.acts if by_act else None
            counted += group.count if of_acts is None else min(of_acts, group.count)
        else:
            left_out[reason] = left_out.get(reason, 0) + group.count
    return Breakdown(counted, sum(group.count * group.versions for group in given), left_out)


def _reason(programme: Programme, measure: Measure | None, group: DocumentGroup) -> str | None:
    """Why documents do not count; None where they do."""
    required = programme.ins_required
    if group.outcome != "accepted":
        return group.outcome
    if (
        required is not None
        and group.deposited is not None
        and group.deposited >= required.start
        and group.ins != "qualified"
    ):
        return "rejected"  # the DMP refuses it at the door (spec: usage.md R3)
    types = getattr(measure, "types", "any")
    if group.type is not None and types != "any" and group.type not in types:
        return "type"
    if isinstance(measure, Documents):
        if group.level not in measure.levels:
            return "level"
        if measure.ins == "qualified" and group.ins != "qualified":
            return "ins"
    return None


def together(
    policy: Literal["all_applicable", "any_applicable", "each"], statuses: list[Status]
) -> Status:
    """The status of a group from those of its indicators (spec: usage.md R7)."""
    considered = [status for status in statuses if status not in ASIDE]
    if not considered:
        return Status.NOT_APPLICABLE
    if policy == "all_applicable":
        for status in (Status.DATA_ERROR, Status.NOT_MET, Status.UNKNOWN, Status.NOT_STATED):
            if status in considered:
                return status
        return Status.MET
    for status in (Status.MET, Status.UNKNOWN, Status.NOT_MET, Status.DATA_ERROR):
        if status in considered:
            return status
    return Status.NOT_STATED
