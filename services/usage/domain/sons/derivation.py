"""Whether the software of a beneficiary fulfils what a programme asks, on the day that counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.usage.domain.rules.software import SoftwareRule
from services.usage.domain.sons.calendar import Calendar
from services.usage.domain.sons.products import Product, Use

Reason = Literal[
    "fulfilled",
    "product_unknown",
    "version_unknown",
    "not_in_use",
    "other_couloir",
    "not_referenced",
    "not_latest",
    "not_certified",
]
_NEAREST: tuple[Reason, ...] = (
    "product_unknown", "version_unknown", "other_couloir", "not_certified", "not_in_use",
    "not_referenced", "not_latest", "fulfilled",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One thing asked for: `referencing`, or a certification; with what came nearest to it."""

    asks: str
    fulfilled: bool
    reason: Reason
    product: str
    version: str


@dataclass(frozen=True, slots=True)
class Derived:
    on: date
    is_final: bool
    """The day that counts has passed: nothing that happens later changes it, a new declaration does."""
    fulfilled: bool
    parts: tuple[Part, ...]


def day_that_counts(rule: SoftwareRule, last_day: date) -> date:
    return rule.by or last_day


def derive(
    rule: SoftwareRule,
    last_day: date,
    today: date,
    uses: Sequence[Use],
    products: Mapping[str, Product],
) -> Derived | None:
    """Until the day that counts has come, as of today. None where no software is declared at all."""
    if not uses:
        return None
    counts = day_that_counts(rule, last_day)
    day = min(counts, today)
    asked = [*(["referencing"] if rule.couloirs else []), *rule.certifications]
    parts = tuple(_part(rule, what, day, uses, products) for what in asked)
    judged = [part.fulfilled for part in parts]
    return Derived(day, today > counts, all(judged) if rule.match == "all" else any(judged), parts)


def _part(
    rule: SoftwareRule, asks: str, day: date, uses: Sequence[Use], products: Mapping[str, Product]
) -> Part:
    judged = [(_judge(rule, asks, day, use, products), use) for use in uses]
    reason, use = max(judged, key=lambda pair: _NEAREST.index(pair[0]))
    return Part(asks, reason == "fulfilled", reason, use.product, use.version)


def _judge(
    rule: SoftwareRule, asks: str, day: date, use: Use, products: Mapping[str, Product]
) -> Reason:
    product = products.get(use.product)
    if product is None:
        return "product_unknown"
    version = product.find(use.version)
    if version is None:
        return "version_unknown"
    if asks == "referencing" and product.couloir not in rule.couloirs:
        return "other_couloir"
    if asks != "referencing" and asks not in version.certifications:
        return "not_certified"
    if not use.in_use(day):
        return "not_in_use"
    if asks != "referencing":
        return "fulfilled"
    if not version.is_referenced(day):
        return "not_referenced"
    if rule.latest and product.latest(day) != version:
        return "not_latest"
    return "fulfilled"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Of SONS, for a product in use: whether what had to be done by then was done by then."""

    wave: str
    step: str
    by: date
    done_on: date | None
    status: Literal["kept", "missed", "open"]
    source: str
    confidence: str


def deadlines(known: Calendar, use: Use, product: Product, today: date) -> tuple[Deadline, ...]:
    """Of the waves that the version is referenced in; the day of a deadline counts whole."""
    version, couloir = product.find(use.version), known.couloirs.get(product.couloir)
    if version is None or couloir is None:
        return ()
    found = []
    for name in dict.fromkeys(it.wave for it in version.referenced):
        for step, milestone in couloir.waves[name].milestones.items():
            if step not in ("ordered_by", "installed_by", "proven_by"):
                continue
            done = use.done(step)
            if done is not None and done > today:
                done = None  # a day to come is a plan
            status: Literal["kept", "missed", "open"] = "open" if done is None else "kept"
            if (done or today) > milestone.day:
                status = "missed"
            found.append(
                Deadline(
                    name, step, milestone.day, done, status, milestone.source, milestone.confidence
                )
            )
    return tuple(found)
