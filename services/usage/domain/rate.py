"""A rate and its target, compared exactly (spec: usage.md §3, R1 and R2)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal


class Status(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    """Nothing was produced: 0 out of 0."""
    DATA_ERROR = "data_error"
    UNKNOWN = "unknown"
    """No target is known: neither met nor not met."""
    NOT_STATED = "not_stated"
    """No figure and no attestation was given."""
    NEUTRALISED = "neutralised"
    NOT_IN_FORCE = "not_in_force"


ASIDE = frozenset({Status.NOT_APPLICABLE, Status.NEUTRALISED, Status.NOT_IN_FORCE})
"""What a group of indicators is judged without."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`numerator` documents out of `denominator` acts."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction | None:
        """In per cent, exact; None when nothing was produced."""
        if self.denominator == 0:
            return None
        return Fraction(100 * self.numerator, self.denominator)

    @property
    def display(self) -> str | None:
        """In per cent with two decimals, half up: for people, never for a comparison."""
        return None if self.value is None else str(hundredths(self.value))

    def status(
        self, target: Fraction | int | None, comparison: Literal[">=", ">"] = ">="
    ) -> Status:
        """Met at the target exactly, unless more is asked; more documents than acts is an error in
        the data."""
        if self.numerator > self.denominator:
            return Status.DATA_ERROR
        if self.value is None:
            return Status.NOT_APPLICABLE
        return compared(self.value, target, comparison)


def compared(
    value: Fraction, target: Fraction | int | None, comparison: Literal[">=", ">"] = ">="
) -> Status:
    if target is None:
        return Status.UNKNOWN
    reached = value > target if comparison == ">" else value >= target
    return Status.MET if reached else Status.NOT_MET


def hundredths(value: Fraction) -> Decimal:
    """Two decimals, half up, exact at any size: the one rounding of an amount, and of a display.

    Values below zero do not occur.
    """
    return Decimal((value * 200 + 1) // 2).scaleb(-2)
