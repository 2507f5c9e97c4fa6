"""What is missing to reach a target, in whole documents."""

from datetime import date
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.usage.domain.missing import Days, needed, of_count, of_rate
from services.usage.domain.period import Period
from services.usage.domain.rate import Rate, Status

F1 = Period(date(2022, 1, 1), date(2022, 7, 1))
targets = st.fractions(0, 100, max_denominator=1000)


class TestDays:
    @pytest.mark.parametrize(
        ("today", "elapsed", "remaining"),
        [
            (date(2021, 12, 31), 0, 181),
            (date(2022, 1, 1), 1, 180),
            (date(2022, 6, 30), 181, 0),
            (date(2023, 1, 1), 181, 0),
        ],
    )
    def test_count_today_as_begun(self, today: date, elapsed: int, remaining: int) -> None:
        assert Days.of(F1, today) == Days(elapsed, remaining)


class TestNeeded:
    @given(targets, st.integers(1, 10**9), st.booleans())
    def test_is_the_least_number_that_reaches_the_target(
        self, target: Fraction, denominator: int, strict: bool
    ) -> None:
        least = needed(target, denominator, strict=strict)
        comparison: Literal[">=", ">"] = ">" if strict else ">="

        if least <= denominator:
            assert Rate(least, denominator).status(target, comparison) is Status.MET
        if least > 0:
            assert Rate(least - 1, denominator).status(target, comparison) is Status.NOT_MET


class TestRate:
    def test_tells_what_is_missing_now_and_at_the_rhythm_so_far(self) -> None:
        """400 of 1000 after 100 days; 81 to come at ten acts a day make 1810: 815 are needed."""
        missing = of_rate(400, 1000, Fraction(45), Days(100, 81))
        assert (missing.now, missing.expected_acts, missing.by_the_end) == (50, 810, 415)
        assert (missing.per_day, missing.reachable) == (6, True)

    def test_follows_the_rhythm_that_is_given(self) -> None:
        missing = of_rate(400, 1000, Fraction(45), Days(100, 81), acts_per_day=Fraction(0))
        assert (missing.expected_acts, missing.by_the_end, missing.per_day) == (0, 50, 1)

    def test_knows_no_day_when_the_period_is_over(self) -> None:
        missing = of_rate(400, 1000, Fraction(45), Days(181, 0))
        assert (missing.now, missing.by_the_end, missing.per_day) == (50, 50, None)

    def test_is_out_of_reach_once_the_period_is_closed(self) -> None:
        """On its last day a document still counts; the day after, none does."""
        over = Days(181, 0)
        assert of_rate(400, 1000, Fraction(45), over).reachable
        closed = of_rate(400, 1000, Fraction(45), over, closed=True)
        assert (closed.now, closed.by_the_end, closed.reachable) == (50, None, False)
        assert of_rate(450, 1000, Fraction(45), over, closed=True).reachable
        assert not of_rate(0, 0, Fraction(45), over, closed=True).reachable

    def test_knows_no_rhythm_before_the_first_act(self) -> None:
        missing = of_rate(0, 0, Fraction(45), Days(0, 181))
        assert (missing.now, missing.by_the_end, missing.per_day) == (0, None, None)

    def test_is_out_of_reach_when_more_than_all_is_asked(self) -> None:
        assert not of_rate(5, 10, Fraction(100), Days(181, 0), strict=True).reachable

    @given(
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        targets,
        st.integers(1, 180),
        st.integers(0, 180),
    )
    def test_is_enough_when_everything_goes_as_expected(
        self, first: int, second: int, target: Fraction, elapsed: int, remaining: int
    ) -> None:
        numerator, denominator = sorted((first, second))
        missing = of_rate(numerator, denominator, target, Days(elapsed, remaining))
        if denominator == 0 or missing.by_the_end is None or missing.expected_acts is None:
            return
        whole = denominator + missing.expected_acts
        assert missing.reachable
        assert Rate(numerator + missing.by_the_end, whole).status(target) is Status.MET
        if missing.by_the_end > 0:
            assert Rate(numerator + missing.by_the_end - 1, whole).status(target) is Status.NOT_MET
        if missing.per_day is not None:
            assert missing.per_day * remaining >= missing.by_the_end


class TestCount:
    def test_is_spread_over_the_days_that_are_left(self) -> None:
        missing = of_count(100, Fraction(500), Days(100, 81))
        assert (missing.now, missing.per_day, missing.reachable) == (400, 5, True)

    def test_says_how_many_come_at_the_rhythm_so_far(self) -> None:
        assert of_count(100, Fraction(500), Days(100, 81)).expected_acts == 81
        assert of_count(0, Fraction(500), Days(0, 181)).expected_acts is None

    def test_is_out_of_reach_once_the_period_is_closed(self) -> None:
        assert of_count(499, Fraction(500), Days(181, 0)).reachable  # on its last day
        assert not of_count(499, Fraction(500), Days(181, 0), closed=True).reachable
        assert of_count(500, Fraction(500), Days(181, 0), closed=True).reachable
