"""Rows of a report on attestations: beside what follows from the software or was counted, and controlled."""

from services.usage.comparisons import Comparison
from services.usage.domain.engine import IndicatorFigures
from services.usage.payments import Window
from services.usage.reports.figures import Cell
from services.usage.reports.labels import ATTESTATIONS, DECIDES, STATUSES, day


def compared_rows(it: Window) -> list[list[Cell]]:
    return [
        [it.name, name, _said(found.attested), _derived(found), _said(found.observed),
         DECIDES[found.decides], found.rule.source]
        for name, found in it.compared.items()
        if found.decides is not None
    ]  # fmt: skip


def control_rows(it: Window) -> list[list[Cell]]:
    """The attestation of a window, with each figure that its control lowered."""
    if it.control is None:
        return []
    content = it.control.content
    state = ATTESTATIONS[it.control.state]
    declared = content.draft.figures
    return [
        [it.name, state, code, declared[code].numerator if code in declared else None,
         content.corrected.get(code), content.refused_for]
        for code in sorted({*declared, *content.corrected})
    ]  # fmt: skip


def _said(figures: IndicatorFigures | None) -> str:
    if figures is None:
        return ""
    if figures.attained is not None:
        return STATUSES[figures.attained]
    return f"{figures.numerator} / {figures.denominator}"


def _derived(it: Comparison) -> str:
    if it.derived is None:
        return ""
    fulfilled = STATUSES["met" if it.derived.fulfilled else "not_met"]
    return f"{fulfilled} au {day(it.derived.on)}"
