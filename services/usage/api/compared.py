"""Comparisons as JSON: what is attested, what follows from the software, what was counted, and the gap."""

from typing import Any

from services.usage.api.render import sourced
from services.usage.comparisons import Comparison
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.sons.derivation import Derived


def compared_json(it: Comparison) -> dict[str, Any]:
    return {
        "attested": _figures(it.attested),
        "derived": None if it.derived is None else _derived(it.derived),
        "observed": _figures(it.observed),
        "gap": _gap(it),
        "decides": it.decides,
        **sourced(it.rule),
    }


def _figures(it: IndicatorFigures | None) -> dict[str, Any] | None:
    return None if it is None else it.model_dump(mode="json", exclude_defaults=True)


def _derived(it: Derived) -> dict[str, Any]:
    return {
        "attained": "met" if it.fulfilled else "not_met",
        "on": it.on,
        "final": it.is_final,
        "parts": [
            {
                "asks": part.asks,
                "fulfilled": part.fulfilled,
                "reason": part.reason,
                "product": part.product,
                "version": part.version,
            }
            for part in it.parts
        ],
    }


def _gap(it: Comparison) -> Any:
    """Attested less observed where both are numbers; otherwise whether the sides that are known differ."""
    if it.attested and it.observed and it.attested.numerator is not None:
        return {
            "numerator": _less(it.attested.numerator, it.observed.numerator),
            "denominator": _less(it.attested.denominator, it.observed.denominator),
        }
    derived = None if it.derived is None else ("met" if it.derived.fulfilled else "not_met")
    sides = [it.attested and it.attested.attained, derived, it.observed and it.observed.attained]
    known = {side for side in sides if side is not None}
    return len(known) > 1 if sum(side is not None for side in sides) > 1 else None


def _less(attested: int | None, observed: int | None) -> int | None:
    return None if attested is None or observed is None else attested - observed
