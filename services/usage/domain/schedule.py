"""What each payment step pays: exact to the cent, never more than is owed, each step once."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from services.usage.domain.rate import hundredths
from services.usage.domain.rules.schedule import PaymentStep

REGULARISATION = "regularisation"


def amount_of(
    steps: Mapping[str, PaymentStep], step: str, owed: Decimal, paid: Mapping[str, Decimal]
) -> Decimal:
    """The last step pays what the others left; it is below zero where they paid too much."""
    if step == list(steps)[-1] or step == REGULARISATION:
        return owed - sum(paid.values(), Decimal(0))
    return hundredths(Fraction(owed) * steps[step].share.value / 100)
