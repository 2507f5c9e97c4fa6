"""The form of a rule file: one programme, or one year of it.

Strict: what is not known here is refused, and so is a number without unit, validity, source or
confidence. `SCHEMA` counts the versions of this form.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from services.usage.domain.measures import CountingPolicy, Measure
from services.usage.domain.period import Period
from services.usage.domain.rules.consistency import inconsistencies
from services.usage.domain.rules.figures import Amount, Name, Sourced, Strict, Text
from services.usage.domain.rules.money import Comparison, Money
from services.usage.domain.rules.schedule import PaymentStep
from services.usage.domain.rules.software import SoftwareRule

SCHEMA = 2


class _Dates(Sourced):
    """`from` up to, not including, `to`; they are words of Python, hence the aliases."""

    start: date = Field(alias="from")
    end: date = Field(alias="to")

    @model_validator(mode="after")
    def _is_a_period(self) -> "_Dates":
        Period(self.start, self.end)
        return self

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)


class Window(_Dates):
    """One usage period, and the days on which one applies for it."""

    application: _Dates | None = None


class Target(Amount):
    """What must be reached; exactly at it, `>=` is met and `>` is not."""

    comparison: Comparison = ">="


class Counted(Sourced):
    """One side of a rate: what is counted, and how the programme words it."""

    measure: Measure | None = None
    """Null where the sandbox counts nothing of the kind: the figure is declared, or given."""
    wording: Text


class Indicator(Sourced):
    """`rate`: numerator over denominator; `count`: the numerator alone; `mean`: of named rates;
    `attestation`: a statement with its evidence."""

    title: Text
    group: Name
    kind: Literal["rate", "count", "mean", "attestation"]
    numerator: Counted | None = None
    denominator: Counted | None = None
    components: list[Name] = Field([])
    targets: dict[str, Target] = Field({})
    """By window; a window without one has an unknown target, which is never met or not met."""
    points: Amount | None = None
    attested_by: Literal["sas", "coordinated"] | None = None
    """The attestation of the professional that meets it, where the sandbox takes one."""
    software: SoftwareRule | None = None
    """What the software declared must be for it; the sandbox then derives what else is attested."""
    open_hours: Amount | None = None
    """A week, of an agenda open to the SAS, where `attested_by` is that."""
    decided_by: Literal["observed", "attested"] = "observed"
    """Which figure counts where both are known; the other one is shown beside it."""
    seen_by: Measure | None = None
    """Acts that show that what is attested is there: shown beside, and never what decides."""
    in_force: _Dates | None = None
    """Only then; null is as long as the programme."""
    neutralised: Literal["no", "excluded", "granted"] = "no"
    """Left out of the year, without its points or with them: never met in silence."""

    @model_validator(mode="after")
    def _has_the_parts_of_its_kind(self) -> "Indicator":
        parts = {"rate": 2, "count": 1}.get(self.kind, 0)
        if [self.numerator is not None, self.denominator is not None] != [parts > 0, parts > 1]:
            raise ValueError(f"an indicator of kind {self.kind} counts {parts} side(s)")
        if (self.kind == "mean") != bool(self.components):
            raise ValueError("components are what a mean is taken of")
        if (self.software or self.seen_by) and self.kind != "attestation":
            raise ValueError("what follows from software or is seen is an attestation, not a count")
        if self.open_hours is not None and self.attested_by != "sas":
            raise ValueError("open_hours are those of an indicator that is attested by sas")
        if self.decided_by == "attested" and self.kind not in ("rate", "count"):
            raise ValueError("decided_by is said of what is counted")
        return self


class Group(Strict):
    """Indicators that are judged together: a domain of SUN-ES, a volet, the two socles.

    `all_applicable`: reached when each one that applies is met; `any_applicable`: when one is;
    `each`: each met indicator brings its own points; reached as a whole where the file names all its
    indicators (`exhaustive`) and each of them is met, and its maximum is then due.
    """

    title: Text
    policy: Literal["all_applicable", "any_applicable", "each"]
    requires: list[Literal["own_laboratory", "own_imaging"]] = Field([])
    budget: Amount | None = None
    points: Amount | None = None
    maximum: Amount | None = None
    exhaustive: bool = False
    locked_by: Name | None = None


class Alternative(Sourced):
    """One answer to an open question; `set` says which places of the file it changes."""

    title: Text
    set: dict[Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$")], Any] = Field({})


class Option(Strict):
    """A question that the sources leave open or answer twice. The file as it stands is the
    default's answer, so the default sets nothing."""

    question: Text
    default: Name
    alternatives: Annotated[dict[Name, Alternative], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _has_its_default(self) -> "Option":
        if self.default not in self.alternatives:
            raise ValueError(f"the default {self.default} is none of the alternatives")
        if self.alternatives[self.default].set:
            raise ValueError("the default is the file as it stands: it sets nothing")
        return self


class Since(Sourced):
    """From this day on."""

    start: date = Field(alias="from")


class Prerequisite(Sourced):
    title: Text
    software: SoftwareRule | None = None


class _Validity(Strict):
    valid_from: date | None
    valid_to: date | None


class Programme(Strict):
    schema_version: Literal[2] = Field(alias="schema")
    programme: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+){0,9}$", max_length=60)]
    version: Name
    title: Text
    status: Literal["in_force", "placeholder"]
    """A placeholder shows its shape; euros are refused whatever is allowed."""
    beneficiary: Literal["structure", "professional", "space"]
    sources: dict[Name, Sourced] = Field({})
    """The documents behind the file, under short names."""
    validity: dict[Name, _Validity] = Field({})
    """Spans that many figures share, under short names."""
    windows: Annotated[dict[Name, Window], Field(min_length=1, max_length=50)]
    groups: Annotated[dict[Name, Group], Field(min_length=1, max_length=50)]
    indicators: Annotated[dict[Name, Indicator], Field(min_length=1, max_length=100)]
    prerequisites: dict[Name, Prerequisite] = Field({})
    ins_required: Since | None = None
    """Since when the DMP refuses documents without a qualified INS."""
    counting: CountingPolicy = CountingPolicy()
    money: Money
    payment: Annotated[dict[Name, PaymentStep], Field(max_length=10)] = Field({})
    """In order; without any, all is paid at once when the attestation is validated."""
    budget: Amount | None = None
    """Of the whole programme; the groups' budgets add up to it."""
    preceded_by: Text | None = None
    """Which programme applies before the first window."""
    followed_by: Text | None = None
    options: Annotated[dict[Name, Option], Field(max_length=60)] = Field({})
    notes: list[Sourced] = Field([])
    """What is worth knowing and changes no figure."""

    @model_validator(mode="after")
    def _holds_together(self) -> "Programme":
        faults = list(inconsistencies(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def members(self, group: str) -> dict[str, Indicator]:
        """The indicators of a group, in the order of the file."""
        return {code: rule for code, rule in self.indicators.items() if rule.group == group}

    def window_at(self, instant: datetime) -> str | None:
        """The window that is open at an instant."""
        for name, window in self.windows.items():
            if instant in window.period:
                return name
        return None

    def nearest_window(self, instant: datetime) -> str:
        """The open window, or the one that is least far away in time."""
        return self.window_at(instant) or min(
            self.windows, key=lambda name: self.distance(name, instant)
        )

    def distance(self, window: str, instant: datetime) -> float:
        """Seconds between an instant and a window; none while it is open."""
        period = self.windows[window].period
        if instant in period:
            return 0
        return min(
            abs((period.starts_at - instant).total_seconds()),
            abs((instant - period.ends_at).total_seconds()),
        )
