"""Half-open periods whose midnights are those of Paris."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.usage.domain.period import Period, semester_of

INSTANT = timedelta(microseconds=1)


class TestBounds:
    @pytest.mark.parametrize(
        ("start", "end", "starts_at", "ends_at"),
        [
            # Spec: usage.md §3, R5.
            ("2022-01-01", "2022-07-01", "2021-12-31T23:00", "2022-06-30T22:00"),
            ("2022-07-01", "2023-01-01", "2022-06-30T22:00", "2022-12-31T23:00"),
            ("2023-01-01", "2023-07-01", "2022-12-31T23:00", "2023-06-30T22:00"),
            ("2023-07-01", "2024-01-01", "2023-06-30T22:00", "2023-12-31T23:00"),
            # The days on which the clocks change.
            ("2022-03-27", "2022-03-28", "2022-03-26T23:00", "2022-03-27T22:00"),
            ("2022-10-30", "2022-10-31", "2022-10-29T22:00", "2022-10-30T23:00"),
        ],
    )
    def test_are_midnights_of_paris(
        self, start: str, end: str, starts_at: str, ends_at: str
    ) -> None:
        period = Period(date.fromisoformat(start), date.fromisoformat(end))

        assert period.starts_at == datetime.fromisoformat(starts_at).replace(tzinfo=UTC)
        assert period.ends_at == datetime.fromisoformat(ends_at).replace(tzinfo=UTC)

    def test_hold_the_first_instant_and_not_the_last(self) -> None:
        period = Period(date(2022, 1, 1), date(2022, 7, 1))

        assert period.starts_at in period
        assert period.starts_at - INSTANT not in period
        assert period.ends_at - INSTANT in period
        assert period.ends_at not in period

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (date(2022, 7, 1), date(2022, 7, 1)),
            (date(2022, 7, 2), date(2022, 7, 1)),
            (date(1, 1, 1), date(2022, 7, 1)),
            (date(2022, 7, 1), date(9999, 12, 31)),
        ],
    )
    def test_are_refused_when_they_are_no_period(self, start: date, end: date) -> None:
        with pytest.raises(ValueError, match="a period"):
            Period(start, end)


class TestSemester:
    @pytest.mark.parametrize(
        ("instant", "start", "end"),
        [
            ("2021-12-31T22:59:59+00:00", date(2021, 7, 1), date(2022, 1, 1)),
            ("2021-12-31T23:00:00+00:00", date(2022, 1, 1), date(2022, 7, 1)),
            ("2022-06-30T21:59:59+00:00", date(2022, 1, 1), date(2022, 7, 1)),
            ("2022-06-30T22:00:00+00:00", date(2022, 7, 1), date(2023, 1, 1)),
        ],
    )
    def test_is_that_of_the_paris_day(self, instant: str, start: date, end: date) -> None:
        assert semester_of(datetime.fromisoformat(instant)) == Period(start, end)
