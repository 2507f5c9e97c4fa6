"""Use case: gathers a report from what was counted, with its months for the charts."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.counters import refused_documents
from services.usage.counting import count, counters
from services.usage.domain.engine import IndicatorFigures, IndicatorOutcome
from services.usage.domain.engine.indicators import threshold
from services.usage.domain.measures import Beneficiary, Documents
from services.usage.domain.missing import Days
from services.usage.domain.period import Period
from services.usage.domain.rules import Programme
from services.usage.forecasts import missing_of
from services.usage.indicators import figures_told
from services.usage.payments import Window, payments
from services.usage.reports.content import Chart, Report
from services.usage.reports.figures import UNIT_OF_KIND
from services.usage.reports.labels import MONTHS
from socle.clock import PARIS
from socle.spaces import Space

NATIONAL = "objectif-national"
SPACE = Beneficiary("space")
# LOINC codes as the DMP keeps them (spec: dmp.md §4.4).
FAMILIES = {
    "Biologie": ["11502-2"],
    "Imagerie": ["18748-4"],
    "Sortie d'hospitalisation": ["11490-0", "34112-3", "34874-8"],
    "Prescriptions": ["57833-6", "57832-8", "57828-6"],
    "Synthèses médicales": ["60591-5"],
    "Consultations": ["11488-4"],
}
CHARTS = 12


async def build(
    session: AsyncSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    options: dict[str, str],
    *,
    euros: bool,
    allow_unverified: bool,
) -> Report:
    found = await payments(
        session,
        space,
        programme,
        of,
        window,
        options,
        euros=euros,
        allow_unverified=allow_unverified,
    )
    today = space.now().astimezone(PARIS).date()
    missing = {
        it.name: missing_of(found.programme, it, Days.of(it.period, today)) for it in found.windows
    }
    charts: list[Chart] = []
    for it in found.windows:
        for code, outcome in it.outcome.indicators.items():
            if not outcome.value or not _is_monthly(outcome):
                continue  # nothing to draw
            charts.append(await _chart(session, space.name, found.programme, of, it, code))
    families: list[tuple[str, str, int]] = []
    if of.kind == "space":
        for it in found.windows:
            families += await _families(session, space.name, it)
    refused = {
        it.name: await refused_documents(session, space.name, of, it.period) for it in found.windows
    }
    return Report(found, space.now(), tuple(charts[-CHARTS:]), missing, tuple(families), refused)


def _is_monthly(outcome: IndicatorOutcome) -> bool:
    """Whether its acts have a month: patients on a list have none."""
    measure = outcome.rule.numerator.measure if outcome.rule.numerator else None
    return measure is not None and measure.count in ("documents", "acts", "acts_with")


async def _chart(
    session: AsyncSession, space: str, rules: Programme, of: Beneficiary, it: Window, code: str
) -> Chart:
    outcome = it.outcome.indicators[code]
    labels: list[str] = []
    values: list[Fraction | None] = []
    for month in _months(it.period):
        figures, _ = await figures_told(session, space, rules, code, of, month)
        labels.append(MONTHS[month.start.month - 1])
        values.append(None if figures is None else _value(outcome, figures))
    target = None if outcome.target is None else threshold(outcome.target)
    unit = UNIT_OF_KIND[outcome.rule.kind]
    return Chart(f"{it.name} · {code}, par mois", labels, values, target, unit)


def _value(outcome: IndicatorOutcome, figures: IndicatorFigures) -> Fraction | None:
    if outcome.rule.kind == "count":
        return Fraction(figures.numerator or 0)
    if not figures.denominator:
        return None
    return Fraction(100 * (figures.numerator or 0), figures.denominator)


def _months(period: Period) -> Iterator[Period]:
    """The months of a period, its first and last ones cut where it begins and ends."""
    start = period.start
    while start < period.end:
        following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        yield Period(start, min(following, period.end))
        start = following


async def _families(session: AsyncSession, space: str, it: Window) -> list[tuple[str, str, int]]:
    policy = it.outcome.programme.counting
    total = it.outcome.indicators["DOCUMENTS"].numerator or 0
    rows: list[tuple[str, str, int]] = []
    for family, types in FAMILIES.items():
        measure = Documents(
            count="documents", types=frozenset(types), levels=frozenset({"N1", "N3"}), ins="any"
        )
        counted = await count(session, space, measure, SPACE, it.period, policy)
        rows.append((it.name, family, counted))
    rows.append((it.name, "Autres documents", total - sum(count for _, _, count in rows)))
    events = await counters(session, space, SPACE, it.period)
    return [*rows, *((it.name, name, count) for name, count in events.items())]
