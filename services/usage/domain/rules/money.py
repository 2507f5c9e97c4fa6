"""How a programme turns attainment into euros: one model a kind."""

from typing import Annotated, Literal

from pydantic import Field

from services.usage.domain.rules.figures import (
    Amount,
    Announced,
    Exact,
    Name,
    Sourced,
    Strict,
    Text,
)

Comparison = Literal[">=", ">"]


class Cap(Amount):
    """The most that is paid, to whom (choice K3), and where in the order of steps (K4)."""

    scope: Literal["establishment", "domain", "none"]
    order: Literal["last", "first"]
    """`last`: after the window's rate; `first`: on the base, before it."""


class BudgetShare(Strict):
    """SUN-ES: a share of the domain's budget, times the rate of the window, capped."""

    kind: Literal["budget_share"]
    rates: dict[str, Amount]
    """By window, per cent of the base: falling."""
    floor: Amount
    cap: Cap
    paid_once: bool


class Points(Strict):
    """Forfait structure, DONUM: points at a price, up to a maximum."""

    kind: Literal["points"]
    point_value: Amount
    maximum: Amount | None = None


class Tier(Strict):
    threshold: Amount
    amount: Amount


class Weight(Amount):
    """The reference patientèle; `capped` forbids a weight above one."""

    value: Annotated[Exact, Field(gt=0)]
    capped: bool


class Bonus(Amount):
    """Per cent on top, when the share of structured documents reaches a threshold."""

    indicator: Name
    """Whose numerator counts the structured ones."""
    threshold: Amount
    comparison: Comparison
    base: Literal["with_document", "list"]
    """Denominator of that share: patients with a document, or all of the list."""


class Tiers(Strict):
    """VSM: an amount for the highest threshold reached, weighted by patientèle, with a bonus."""

    kind: Literal["tiers"]
    indicator: Name
    tiers: Annotated[list[Tier], Field(min_length=1)]
    weight: Weight
    bonus: Bonus
    paid_once: bool
    top_up: bool
    """Whether a later round pays the difference to a higher tier."""


class NoMoney(Sourced):
    """No euros can be computed: the figures are unknown, and `reason` says which."""

    kind: Literal["none"]
    reason: Text
    announced: list[Announced] = Field([])


Money = Annotated[BudgetShare | Points | Tiers | NoMoney, Field(discriminator="kind")]
