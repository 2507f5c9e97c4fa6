"""What the control of an attestation changes in what is paid: figures lowered, windows refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import attainments_repository as repository
from services.usage.domain.attainments import Content, State
from services.usage.domain.engine import IndicatorFigures, Paid
from services.usage.domain.measures import Beneficiary
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Control:
    state: State
    content: Content
    paid: Decimal = Decimal(0)
    """Of the attestation, less what was taken back."""

    @property
    def validated(self) -> Decimal | None:
        """Euros that were decided, whatever would be computed today; None while nothing is."""
        if self.state not in ("valide", "refuse", "paye") or self.content.amount is None:
            return None
        return Decimal(self.content.amount)

    def corrected(self, figures: Mapping[str, IndicatorFigures]) -> dict[str, IndicatorFigures]:
        """What was counted, where the control did not lower it."""
        return {code: self._corrected(code, it) for code, it in figures.items()}

    def _corrected(self, code: str, it: IndicatorFigures) -> IndicatorFigures:
        after = self.content.corrected.get(code)
        if after is None or it.numerator is None or it.numerator <= after:
            return it
        return IndicatorFigures(numerator=after, denominator=it.denominator)

    def decided(self, window: str) -> list[Paid] | None:
        """What was validated, by group; None while nothing is decided."""
        if self.state == "refuse":
            return []
        if self.state not in ("valide", "paye"):
            return None
        amounts = {name: Fraction(exact) for name, exact in self.content.groups.items()}
        return [
            Paid(window=window, group=name, amount=it) for name, it in amounts.items() if it > 0
        ]


async def controls_of(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary
) -> dict[str, Control]:
    """By window."""
    rows = await repository.of_programme(session, space.name, of.key, programme)
    paid = await repository.paid_by_window(session, space.name, of.key, programme) if rows else {}
    return {
        row.window: Control(
            cast(State, row.state),
            Content.model_validate_json(row.body),
            paid.get(row.window, Decimal(0)),
        )
        for row in rows
    }
