"""What a calculation answers, with every figure that made it."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from services.usage.domain.rate import Status
from services.usage.domain.rules import LOW, Figure, Group, Indicator, Programme, Target


@dataclass(frozen=True, slots=True)
class Used:
    """A figure or a choice of the rule file on which the result rests; `path` is its place there.
    Without a value, the file has no figure there: `confidence` is then `unknown`."""

    path: str
    value: Fraction | None
    unit: str
    source: str
    confidence: str

    @property
    def is_low(self) -> bool:
        return self.confidence in LOW


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Which of the documents given counted, and why the others did not."""

    counted: int
    deposits: int
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True)
class IndicatorOutcome:
    code: str
    rule: Indicator
    status: Status
    numerator: int | None = None
    denominator: int | None = None
    value: Fraction | None = None
    """Per cent for a rate or a mean, a number for a count."""
    target: Target | None = None
    stated: bool = False
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a computation: its name, and the exact value after it."""

    name: str
    value: Fraction
    by: Fraction | None = None


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    name: str
    rule: Group
    status: Status
    reason: str = ""
    """Why it brings nothing: prerequisites, own_laboratory, own_imaging, already_paid, locked,
    not_reached, points_unknown, after_deadline; empty where it does."""
    steps: tuple[Step, ...] = ()
    points: Fraction | None = None
    amount: Fraction | None = None


@dataclass(frozen=True, slots=True)
class OptionTaken:
    """An open question, the answer in force, and whether another one would change the result."""

    name: str
    question: str
    chosen: str
    title: str
    is_default: bool
    source: str
    confidence: str
    decisive: bool
    others: dict[str, str]
    """What each other answer would give, where it differs."""


@dataclass
class Ledger:
    """Collects the figures that a result uses, each once."""

    used: dict[str, Used] = field(default_factory=dict)

    def use(self, path: str, figure: Figure) -> Fraction:
        self.used[path] = Used(path, figure.value, figure.unit, figure.source, figure.confidence)
        return figure.value

    def miss(self, path: str, unit: str) -> None:
        """The result needs a figure that the file does not have."""
        self.used[path] = Used(path, None, unit, "aucune source trouvée", "unknown")


@dataclass(frozen=True, slots=True)
class Payment:
    """What the money rules give: exact, and rounded once."""

    exact: Fraction
    groups: dict[str, GroupOutcome]
    steps: tuple[Step, ...]
    points: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    programme: Programme
    window: str | None
    """None: no window is open at the instant asked, the programme is not in force."""
    indicators: dict[str, IndicatorOutcome]
    groups: dict[str, GroupOutcome]
    steps: tuple[Step, ...]
    points: Fraction | None
    exact: Fraction | None
    amount: Decimal | None
    """Euros, to the cent; None where none were asked or can be computed."""
    used: tuple[Used, ...]
    options: tuple[OptionTaken, ...] = ()

    @property
    def unverified(self) -> tuple[Used, ...]:
        """What makes the amount unfit to be paid: its own inputs of low confidence, and choices of
        low confidence that decide it (spec: usage.md §12 and §14)."""
        if self.amount is None:
            return ()
        choices = (
            Used(f"options/{taken.name}", None, "", taken.source, taken.confidence)
            for taken in self.options
            if taken.decisive
        )
        return tuple(used for used in (*self.used, *choices) if used.is_low)

    @property
    def is_refused(self) -> bool:
        """Whether its euros may be shown only to those who ask for unverified ones. Zero is no
        amount to be mistaken for money, unless a missing figure made it."""
        if self.amount is None:
            return False
        if self.amount > 0:
            return bool(self.unverified)
        return any(used.confidence == "unknown" for used in self.unverified)
