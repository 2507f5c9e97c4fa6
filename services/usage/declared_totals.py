"""The declared totals of an owner, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.counting import subject_of
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open."""

    start: date
    end: date


def span_of(value: str) -> Span:
    """Of `2022-03`, or `2019`."""
    year, _, month = value.partition("-")
    if not month:
        return Span(date(int(year), 1, 1), date(int(year) + 1, 1, 1))
    start = date(int(year), int(month), 1)
    end = date(start.year + start.month // 12, start.month % 12 + 1, 1)
    return Span(start, end)


@dataclass(frozen=True, slots=True)
class Total:
    item: str
    span: Span
    numerator: int | None
    denominator: int | None


async def list_totals(
    session: AsyncSession, space: str, of: Beneficiary, period: Period | None
) -> Sequence[Total]:
    """Of spans that lie whole in the period, if there is one."""
    result = await session.execute(
        text(
            'SELECT item, start, "end", numerator, denominator FROM usage.declaration'
            " WHERE space = :space AND owner = :owner"
            " AND (CAST(:start AS date) IS NULL OR start >= :start)"
            ' AND (CAST(:end AS date) IS NULL OR "end" <= :end)'
            ' ORDER BY start, "end", item'
        ),
        {
            "space": space,
            "owner": subject_of(of),
            "start": period and period.start,
            "end": period and period.end,
        },
    )
    return [
        Total(row.item, Span(row.start, row.end), row.numerator, row.denominator) for row in result
    ]
