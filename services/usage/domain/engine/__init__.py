"""The engine: a rule file and inputs in, an explained result out. Pure and exact."""

from services.usage.domain.engine.evaluate import UnknownInputs, evaluate
from services.usage.domain.engine.inputs import IndicatorFigures, Inputs, Paid
from services.usage.domain.engine.outcome import (
    GroupOutcome,
    IndicatorOutcome,
    OptionTaken,
    Outcome,
    Step,
    Used,
)

__all__ = [
    "GroupOutcome",
    "IndicatorFigures",
    "IndicatorOutcome",
    "Inputs",
    "OptionTaken",
    "Outcome",
    "Paid",
    "Step",
    "UnknownInputs",
    "Used",
    "evaluate",
]
