"""Use case: what is attested beside what follows from the software declared, and from what was counted."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.counting import DeclaredTotals, count
from services.usage.domain.dossier import Dossier
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period
from services.usage.domain.rules import Indicator, Programme, SoftwareRule, Sourced
from services.usage.domain.sons.derivation import Derived, derive
from services.usage.referencing import Software, software_of, today
from socle.spaces import Space

Decides = Literal["attested", "derived", "observed"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one indicator or prerequisite; each side is None where nothing is known of it."""

    rule: Sourced
    attested: IndicatorFigures | None = None
    derived: Derived | None = None
    observed: IndicatorFigures | None = None
    decides: Decides | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparisons decide, and the comparisons."""

    figures: dict[str, IndicatorFigures]
    prerequisites: dict[str, bool]
    comparisons: dict[str, Comparison]


async def software_for(
    session: AsyncSession, space: Space, rules: Programme, of: Beneficiary
) -> Software:
    """Nothing where the programme asks nothing of it."""
    asked = [it.software for it in rules.indicators.values()]
    asked += [it.software for it in rules.prerequisites.values()]
    if not any(asked):
        return Software((), {})
    return await software_of(session, space.name, of)


def compare(
    space: Space, rules: Programme, dossier: Dossier, period: Period, software: Software
) -> Compared:
    """The programme's `counting.software` says which side decides where both are known."""
    compared = Compared({}, {}, {})
    for code, rule in rules.indicators.items():
        if rule.software is None:
            continue
        attested = dossier.figures.get(code)
        found = _compared(space, rules, rule.software, attested, period, software)
        compared.comparisons[code] = found
        if found.decides == "derived" and found.derived is not None:
            compared.figures[code] = _attained(found.derived.fulfilled)
    for name, it in rules.prerequisites.items():
        if it.software is None:
            continue
        said = (dossier.prerequisites or {}).get(name)
        attested = None if said is None else _attained(said.fulfilled)
        found = _compared(space, rules, it.software, attested, period, software)
        compared.comparisons[name] = found
        if found.decides == "derived" and found.derived is not None:
            compared.prerequisites[name] = found.derived.fulfilled
    return compared


def beside(
    rule: Indicator,
    attested: IndicatorFigures | None,
    totals: DeclaredTotals | None,
    observed: IndicatorFigures | None,
) -> tuple[Comparison, IndicatorFigures | None]:
    """Of a figure that is attested, in the dossier or by totals, and counted as well: both, and the one
    that counts. Where no act at all was told, nothing was observed."""
    if attested is None and totals is not None and totals.numerator is not None:
        denominator = totals.denominator if rule.kind == "rate" else None
        if rule.kind == "count" or denominator is not None:
            attested = IndicatorFigures(numerator=totals.numerator, denominator=denominator)
    if observed is not None and not (observed.denominator or observed.numerator):
        observed = None
    counts = attested or observed
    decides: Decides | None = None
    if counts is not None:
        decides = "attested" if attested else "observed"
    return Comparison(rule, attested, None, observed, decides), counts


async def add_seen(
    session: AsyncSession,
    space: Space,
    rules: Programme,
    of: Beneficiary,
    period: Period,
    dossier: Dossier,
    comparisons: dict[str, Comparison],
) -> None:
    """What was seen of an attestation; that nothing was seen says nothing."""
    for code, rule in rules.indicators.items():
        if rule.seen_by is None:
            continue
        seen = await count(session, space.name, rule.seen_by, of, period, rules.counting)
        attested = dossier.figures.get(code)
        known = comparisons.get(code)
        if known is None:
            known = Comparison(rule, attested, decides="attested" if attested else None)
        comparisons[code] = replace(known, observed=_attained(True) if seen else None)


def _compared(
    space: Space,
    rules: Programme,
    rule: SoftwareRule,
    attested: IndicatorFigures | None,
    period: Period,
    software: Software,
) -> Comparison:
    last_day = period.end - timedelta(days=1)
    derived = derive(rule, last_day, today(space), software.uses, software.products)
    decides: Decides | None = None
    if derived is not None and (attested is None or rules.counting.software == "derived"):
        decides = "derived"
    elif attested is not None:
        decides = "attested"
    return Comparison(rule, attested, derived, None, decides)


def _attained(fulfilled: bool) -> IndicatorFigures:
    return IndicatorFigures(attained="met" if fulfilled else "not_met")
