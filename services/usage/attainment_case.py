"""An attestation in hand: where it lies, how its euros are computed, what an act makes of it."""

from dataclasses import dataclass
from typing import Any

from services.usage.attainments_repository import Key
from services.usage.domain.attainments import Content, State
from services.usage.domain.measures import Beneficiary
from services.usage.domain.rules import Programme
from services.usage.payments import Window, payments
from socle.db.database import WriteSession
from socle.spaces import Space


@dataclass(frozen=True, slots=True)
class Case:
    """One attestation, and how its euros are to be computed."""

    session: WriteSession
    space: Space
    rules: Programme
    of: Beneficiary
    window: str
    key: Key
    options: dict[str, str]
    allow_unverified: bool
    applications_enforced: bool

    async def computed(self, *, euros: bool = True) -> Window:
        """What the window pays now, with what the control has lowered so far; without euros, figures
        alone, which no unverified amount stands in the way of."""
        found = await payments(
            self.session, self.space, self.rules.programme, self.of, self.window, self.options,
            euros=euros, allow_unverified=self.allow_unverified,
        )  # fmt: skip
        return found.windows[-1]


@dataclass(frozen=True, slots=True)
class Done:
    state: State
    content: Content
    result: dict[str, Any]
    """What follows, for the history."""
