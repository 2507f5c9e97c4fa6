"""Results as JSON: every figure beside its source."""

from fractions import Fraction
from typing import Any

from services.usage.counting import DeclaredTotals
from services.usage.domain.engine import (
    GroupOutcome,
    IndicatorOutcome,
    OptionTaken,
    Outcome,
    Step,
    Used,
)
from services.usage.domain.rate import hundredths
from services.usage.domain.rules import Sourced, written


def sourced(part: Sourced) -> dict[str, str]:
    return {"source": part.source, "confidence": part.confidence}


def number(value: Fraction | None) -> int | str | None:
    return None if value is None else written(value)


def shown(value: Fraction | None) -> str | None:
    return None if value is None else str(hundredths(value))


def target_of(found: IndicatorOutcome) -> dict[str, Any] | None:
    target = found.target
    if target is None:
        return None
    return {
        target.unit: number(target.value),
        "comparison": target.comparison,
        **sourced(target),
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    rules = outcome.programme
    window = rules.windows[outcome.window] if outcome.window else None
    return {
        "programme": rules.programme,
        "title": rules.title,
        "rules_version": rules.version,
        "status": "in_force" if window else "not_in_force",
        "window": outcome.window,
        "period": window
        and {"from": window.start, "to": window.end, "zone": "Europe/Paris", **sourced(window)},
        **({} if window else {"before": rules.preceded_by, "after": rules.followed_by}),
        "indicators": {
            code: _indicator(found)
            for code, found in outcome.indicators.items()
            if found.status != "not_stated"
        },
        "groups": {name: _group(found) for name, found in outcome.groups.items()},
        "points": number(outcome.points),
        "amount": None
        if outcome.amount is None
        else {
            "eur": str(outcome.amount),
            "exact": str(outcome.exact),
            "verified": not outcome.is_refused,
        },
        "steps": [_step(step) for step in outcome.steps],
        "figures": [_used(used) for used in outcome.used],
        "unverified": [_used(used) for used in outcome.unverified],
        "options": {taken.name: _option(taken) for taken in outcome.options},
    }


def _indicator(found: IndicatorOutcome) -> dict[str, Any]:
    broken = found.breakdown
    return {
        "title": found.rule.title,
        "group": found.rule.group,
        "status": found.status,
        "met": found.status == "met",
        "numerator": found.numerator,
        "denominator": found.denominator,
        "value": shown(found.value),
        "exact": None if found.value is None else str(found.value),
        "target": target_of(found),
        "attested": found.stated,
        **(
            {}
            if broken is None
            else {
                "documents": {
                    "counted": broken.counted,
                    "deposits": broken.deposits,
                    "left_out": broken.left_out,
                }
            }
        ),
        **sourced(found.rule),
    }


def _group(found: GroupOutcome) -> dict[str, Any]:
    return {
        "title": found.rule.title,
        "status": found.status,
        "policy": found.rule.policy,
        "reason": found.reason or None,
        "points": number(found.points),
        "exact": None if found.amount is None else str(found.amount),
        "steps": [_step(step) for step in found.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "by": number(step.by),
        "exact": str(step.value),
        "shown": shown(step.value),
    }


def _used(used: Used) -> dict[str, Any]:
    return {
        "figure": used.path,
        "value": number(used.value),
        "unit": used.unit or None,
        "source": used.source,
        "confidence": used.confidence,
    }


def _option(taken: OptionTaken) -> dict[str, Any]:
    return {
        "question": taken.question,
        "answer": taken.chosen,
        "title": taken.title,
        "default": taken.is_default,
        "source": taken.source,
        "confidence": taken.confidence,
        "decides": taken.decisive,
        "others": taken.others,
    }


def totals_json(totals: DeclaredTotals, observed: int | None) -> dict[str, Any]:
    """Totals as they were declared, and by how much their numerator is more than what counts."""
    told = totals.numerator
    return {
        "numerator": told,
        "denominator": totals.denominator,
        "declarations": totals.months,
        "gap": None if told is None or observed is None else told - observed,
    }
