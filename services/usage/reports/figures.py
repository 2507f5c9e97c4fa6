"""Every figure of a window as a line: its value, unit, source and confidence."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from services.usage.domain.engine import IndicatorOutcome
from services.usage.domain.rate import hundredths
from services.usage.domain.rules import Sourced
from services.usage.payments import Window
from services.usage.reports.labels import CONFIDENCES, UNITS, days

Cell = str | int | Decimal | None
UNIT_OF_KIND = {"rate": "%", "mean": "%", "count": "documents"}


def figure_rows(it: Window) -> Iterator[list[Cell]]:
    """Window, object, quantity, value, unit, source, confidence."""
    for code, found in it.outcome.indicators.items():
        if found.status in ("not_stated", "not_in_force"):
            continue
        sides = (
            ("numérateur", found.numerator, found.rule.numerator),
            ("dénominateur", found.denominator, found.rule.denominator),
        )
        for side, count, rule in sides:
            if rule is not None and count is not None:
                what = f"{side} : {rule.wording}"
                yield [it.name, code, what, count, "", rule.source, CONFIDENCES[rule.confidence]]
        if found.value is not None:
            unit = UNIT_OF_KIND[found.rule.kind]
            told = "calcul exact, affiché à deux décimales"
            yield [it.name, code, "valeur", shown_value(found), unit, told, "calculé"]
    for used in it.outcome.used:
        value: Cell = None if used.value is None else _plain(used.value)
        unit = UNITS.get(used.unit, used.unit)
        yield [it.name, used.path, "règle", value, unit, used.source, CONFIDENCES[used.confidence]]
    if it.outcome.amount is not None:
        yield [
            it.name, "paiement", "montant", it.outcome.amount, "€",
            "arrondi une fois, au centime, demi vers le haut", "calculé",
        ]  # fmt: skip
    if it.control is not None and it.control.validated is not None:
        told = "contrôle de l'attestation"
        yield [it.name, "attestation", "montant validé", it.control.validated, "€", told, "décidé"]
        yield [it.name, "attestation", "montant payé", it.control.paid, "€", told, "décidé"]
    rules: Sourced = it.outcome.programme.windows[it.name]
    yield [
        it.name, "période", days(it.period.start, it.period.end), None, "", rules.source,
        CONFIDENCES[rules.confidence],
    ]  # fmt: skip


def shown_value(found: IndicatorOutcome) -> Cell:
    """With two decimals; a count is a whole number."""
    if found.value is None or found.rule.kind == "count":
        return found.numerator if found.rule.kind == "count" else None
    return hundredths(found.value)


def _plain(value: Fraction) -> Cell:
    return value.numerator if value.denominator == 1 else str(value)
