"""Dates of searches as ranges."""

from datetime import UTC, datetime

import pytest

from services.mss.annuaire.domain.dates import Range, read_date

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def at(*parts: int) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021", Range(at(2021, 1, 1), at(2022, 1, 1))),
        ("eq2021-12", Range(at(2021, 12, 1), at(2022, 1, 1))),
        ("gt2020", Range(low=at(2021, 1, 1))),
        ("ge2020", Range(low=at(2020, 1, 1))),
        ("lt2022-12-15", Range(high=at(2022, 12, 15))),
        ("le2022-12-15", Range(high=at(2022, 12, 16))),
        ("sa2022-12-15", Range(low=at(2022, 12, 16))),
        ("eb2022-12-15", Range(high=at(2022, 12, 15))),
        ("lt2022-12-15T15:00:00", Range(high=at(2022, 12, 15, 15))),
        ("ge2022-12-15T15:00:00+01:00", Range(low=at(2022, 12, 15, 14))),
        ("ge2022-12-15T15:00:00 01:00", Range(low=at(2022, 12, 15, 14))),
        ("ge2022-12-15T15:00-02:30", Range(low=at(2022, 12, 15, 17, 30))),
        ("ne2021", Range(at(2021, 1, 1), at(2022, 1, 1), outside=True)),
        ("ap2026-11-19", Range(at(2026, 11, 18), at(2026, 11, 21))),
    ],
)
def test_reads_the_range_that_the_precision_spans(value: str, expected: Range) -> None:
    assert read_date(value, NOW) == expected


@pytest.mark.parametrize(
    "value",
    ["", "x", "ge", "20", "2021-13", "2021-02-30", "2021-01-01T25:00", "2021-01-01T10",
     "gt2021-1-1", "0000", "9999", "2021-01-01T10:00:00+25:00"],
)  # fmt: skip
def test_tells_what_is_no_date(value: str) -> None:
    assert read_date(value, NOW) is None
