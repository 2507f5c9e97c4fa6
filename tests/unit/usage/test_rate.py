"""A rate and its target, compared exactly (vectors of spec usage.md §10)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.usage.domain.rate import Rate, Status


class TestValue:
    def test_is_exact(self) -> None:
        assert Rate(1, 3).value == Fraction(100, 3)

    def test_is_absent_when_nothing_was_produced(self) -> None:
        assert (Rate(0, 0).value, Rate(0, 0).display) == (None, None)

    @pytest.mark.parametrize(
        ("numerator", "denominator", "shown"),
        [
            (9, 20, "45.00"),
            (2, 3, "66.67"),
            (799, 4000, "19.98"),  # 19.975, half up
            (39_999, 200_000, "20.00"),
            (0, 7, "0.00"),
        ],
    )
    def test_is_shown_with_two_decimals_half_up(
        self, numerator: int, denominator: int, shown: str
    ) -> None:
        assert Rate(numerator, denominator).display == shown


class TestStatus:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "target", "status"),
        [
            (450, 1000, 45, Status.MET),
            (449, 1000, 45, Status.NOT_MET),
            (44_999_999, 100_000_000, 45, Status.NOT_MET),
            (500, 1000, 54, Status.NOT_MET),
            (39_999, 200_000, 20, Status.NOT_MET),  # shown as 20.00
            (2000, 3000, Fraction(200, 3), Status.MET),
            (1999, 3000, Fraction(200, 3), Status.NOT_MET),
            (7, 7, 100, Status.MET),
            (0, 0, 45, Status.NOT_APPLICABLE),
            (1, 0, 45, Status.DATA_ERROR),
            (8, 7, 45, Status.DATA_ERROR),
        ],
    )
    def test_follows_from_the_numbers(
        self, numerator: int, denominator: int, target: Fraction | int, status: Status
    ) -> None:
        assert Rate(numerator, denominator).status(target) is status

    @given(st.integers(1, 10**12), st.integers(1, 100))
    def test_turns_at_the_first_number_that_reaches_the_target(
        self, denominator: int, target: int
    ) -> None:
        needed = -(-target * denominator // 100)

        assert Rate(needed, denominator).status(target) is Status.MET
        assert Rate(needed - 1, denominator).status(target) is Status.NOT_MET
