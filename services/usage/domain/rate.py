"""A rate and its target, compared exactly (spec: usage.md §3, R1 and R2)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction


class Status(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    DATA_ERROR = "data_error"


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
        if self.value is None:
            return None
        exact = Decimal(self.value.numerator) / Decimal(self.value.denominator)
        return str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))

    def status(self, target: Fraction | int) -> Status:
        """Met at the target exactly; more documents than acts is an error in the data."""
        if self.numerator > self.denominator:
            return Status.DATA_ERROR
        if self.denominator == 0:
            return Status.NOT_APPLICABLE
        return Status.MET if 100 * self.numerator >= target * self.denominator else Status.NOT_MET
