"""Every vector of spec usage.md §10, by its id, through the shipped rule files and the engine."""

from fractions import Fraction
from typing import Any

import pytest

from services.usage.domain.engine import Inputs, Outcome, evaluate
from services.usage.domain.measures import Acts
from services.usage.domain.rate import hundredths
from services.usage.domain.rules import shipped

from .vectors import VECTORS

CASES = [(name, index) for name, cases in VECTORS.items() for index in range(len(cases))]
IDS = [name if len(VECTORS[name]) == 1 else f"{name}-{index + 1}" for name, index in CASES]
EXPECTED = [*(f"S{i:02}" for i in range(1, 31)), *(f"F{i:02}" for i in range(1, 21))]
EXPECTED += [*(f"V{i:02}" for i in range(1, 21)), *(f"D{i:02}" for i in range(1, 7))]


def test_are_all_there() -> None:
    assert list(VECTORS) == EXPECTED
    assert all(VECTORS.values())


@pytest.mark.parametrize(("name", "index"), CASES, ids=IDS)
def test_comes_out_as_it_is_worked(name: str, index: int) -> None:
    case = VECTORS[name][index]
    book = shipped()[case["programme"]]
    if "budgets" in case:
        _check_budgets(book.programme, case)
        return
    outcome = evaluate(book, Inputs.model_validate(case["inputs"]))

    for key, expected in case.items():
        if key not in ("programme", "code", "inputs"):
            assert _found(outcome, case, key) == expected, (name, key)
    assert outcome.is_refused is case.get("refused", False)


def _check_budgets(programme: Any, case: dict[str, Any]) -> None:
    assert [int(group.budget.value) for group in programme.groups.values()] == case["budgets"]
    assert programme.budget.value == case["budget"] == sum(case["budgets"])


def _found(outcome: Outcome, case: dict[str, Any], key: str) -> Any:
    """What came out, in the form in which the vector says it."""
    match key:
        case "window":
            return outcome.window
        case "before":
            return outcome.programme.preceded_by
        case "points":
            return outcome.points
        case "amount":
            return None if outcome.amount is None else str(outcome.amount)
        case "exact":
            assert outcome.exact == Fraction(case["exact"])
            return case["exact"]
        case "groups":
            return {name: str(outcome.groups[name].status) for name in case["groups"]}
        case "reason":
            return {name: outcome.groups[name].reason for name in case["reason"]}
        case "base":
            return {
                name: str(hundredths(outcome.groups[name].steps[0].value)) for name in case["base"]
            }
        case "refused":
            return outcome.is_refused
    indicator = outcome.indicators[case["code"]]
    match key:
        case "shown":
            return None if indicator.value is None else str(hundredths(indicator.value))
        case "exact_value":
            return str(indicator.value)
        case "status":
            return str(indicator.status)
        case "numerator":
            return indicator.numerator
        case "deposits":
            return indicator.breakdown and indicator.breakdown.deposits
        case "left_out":
            return indicator.breakdown and indicator.breakdown.left_out
        case "counts":
            measure = indicator.rule.denominator and indicator.rule.denominator.measure
            assert isinstance(measure, Acts)
            return measure.activity
    raise AssertionError(f"a vector says {key}, which nothing checks")
