"""What a calculation is made from: counts, bases, statements. Nothing in it is a rule."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from services.usage.domain.measures import Level
from services.usage.domain.rules import Programme
from services.usage.domain.rules.figures import Exact, Name, Strict
from services.usage.domain.rules.money import BudgetShare, Tiers
from socle.problems import Problem

LARGEST = 10**12
# Sums of declared totals, each of which may be as large as LARGEST.
Count = Annotated[int, Field(ge=0, le=10**18)]
Euros = Annotated[Exact, Field(ge=0, le=LARGEST)]
Percent = Annotated[Exact, Field(ge=0, le=100)]
Said = Literal["met", "not_met"]
FEW = 100
MANY = 5000
"""Of what a dossier gives and the counters find together: windows times groups, at most."""


class DocumentGroup(Strict):
    """`count` logical documents that are alike, or the documents of `acts` distinct acts."""

    count: Count
    acts: Count | None = None
    versions: Annotated[int, Field(ge=1, le=1000)] = 1
    """Deposits of each: replacements do not add (spec: usage.md R4)."""
    type: Annotated[str, Field(max_length=20)] | None = None
    """LOINC; by default one that the indicator counts."""
    level: Level = "N3"
    ins: Literal["qualified", "validated", "recovered", "provisional"] = "qualified"
    outcome: Literal["accepted", "rejected", "deleted"] = "accepted"
    deposited: date | None = None


class IndicatorFigures(Strict):
    """Counts, or documents to count, or the rates of a mean, or a statement."""

    numerator: Count | None = None
    documents: Annotated[list[DocumentGroup], Field(max_length=FEW)] | None = None
    denominator: Count | None = None
    rates: Annotated[dict[Name, Percent], Field(max_length=FEW)] = Field({})
    attained: Said | None = None

    @model_validator(mode="after")
    def _says_it_once(self) -> "IndicatorFigures":
        ways = [
            self.numerator is not None, self.documents is not None,
            bool(self.rates), self.attained is not None,
        ]  # fmt: skip
        if sum(ways) != 1:
            raise ValueError("give one of numerator, documents, rates and attained")
        return self


class CombinedActivity(Strict):
    """Combined activity of 2019, of the establishment and of all of its pool, in any one unit."""

    establishment: Count
    pool: Count

    @model_validator(mode="after")
    def _is_a_part(self) -> "CombinedActivity":
        if self.establishment > self.pool:
            raise ValueError("an establishment's activity is part of its pool's")
        return self


class Paid(Strict):
    """A payment already made."""

    window: Name
    group: Name
    amount: Euros


class Inputs(Strict):
    window: Name | None = None
    at: AwareDatetime | None = None
    """Instead of a window: the one that is open then."""
    indicators: Annotated[dict[Name, IndicatorFigures], Field(max_length=MANY)] = Field({})
    attained: Annotated[dict[Name, Said], Field(max_length=FEW)] = Field({})
    """Of whole groups."""
    base: Annotated[dict[Name, Euros], Field(max_length=FEW)] = Field({})
    """Forfait of each group, before the window's rate."""
    share: Annotated[dict[Name, Percent], Field(max_length=FEW)] = Field({})
    """Instead of a base: per cent of the pool's combined activity."""
    activity: Annotated[dict[Name, CombinedActivity], Field(max_length=FEW)] = Field({})
    """Instead of a base: the combined activity itself."""
    prerequisites: Annotated[dict[Name, bool], Field(max_length=FEW)] | None = None
    own: dict[Literal["own_laboratory", "own_imaging"], bool] = Field({})
    """Whether the laboratory or the plateau is of the same FINESS juridique."""
    paid: Annotated[list[Paid], Field(max_length=MANY)] = Field([])
    patientele: Annotated[int, Field(ge=0, le=LARGEST)] | None = None
    reached_at: AwareDatetime | None = None
    """When the objective was reached, where there is a deadline."""
    options: Annotated[dict[Name, Name], Field(max_length=FEW)] = Field({})
    euros: bool | None = None
    """Null: where the inputs suffice."""

    @model_validator(mode="after")
    def _names_one_window(self) -> "Inputs":
        if (self.window is None) == (self.at is None):
            raise ValueError("give either window or at")
        return self


def faults(programme: Programme, inputs: Inputs) -> list[Problem]:
    """Everything that the inputs name and the programme does not have."""
    return list(_faults(programme, inputs))


def _faults(programme: Programme, inputs: Inputs) -> Iterator[Problem]:
    money = programme.money
    indicators, groups = programme.indicators, programme.groups
    windows, conditions = programme.windows, programme.prerequisites
    yield from _unknown("/indicators", inputs.indicators, indicators)
    for name, given in (
        ("attained", inputs.attained), ("base", inputs.base),
        ("share", inputs.share), ("activity", inputs.activity),
    ):  # fmt: skip
        yield from _unknown(f"/{name}", given, groups)
    yield from _unknown("/prerequisites", inputs.prerequisites or {}, conditions)
    for index, paid in enumerate(inputs.paid):
        yield from _unknown(f"/paid/{index}/window", [paid.window], windows, itself=True)
        yield from _unknown(f"/paid/{index}/group", [paid.group], groups, itself=True)
    if inputs.window is not None:
        yield from _unknown("/window", [inputs.window], windows, itself=True)
    for code, figures in inputs.indicators.items():
        if code in indicators:
            yield from _misfits(code, figures, programme)
    twice = [
        name
        for name in groups
        if sum(name in given for given in (inputs.base, inputs.share, inputs.activity)) > 1
    ]
    for name in twice:
        yield Problem("CALC-BASE", f"/base/{name}", "given twice", "one of base, share, activity")
    if isinstance(money, BudgetShare):
        for name in {*inputs.share, *inputs.activity} & groups.keys():
            if groups[name].budget is None:
                yield Problem("CALC-BASE", f"/share/{name}", "the rules give no budget", "a base")
        if inputs.euros and not (inputs.base or inputs.share or inputs.activity):
            yield Problem("CALC-BASE", "/base", "no base to pay from", "base, share or activity")
    if isinstance(money, Tiers) and inputs.euros and inputs.patientele is None:
        yield Problem(
            "CALC-BASE", "/patientele", "no patientèle to weigh by", "a number of patients"
        )


def _misfits(code: str, figures: IndicatorFigures, programme: Programme) -> Iterator[Problem]:
    rule, path = programme.indicators[code], f"/indicators/{code}"
    if figures.attained is not None:
        return
    if rule.kind == "attestation":
        yield Problem("CALC-KIND", path, f"{code} is attested, not counted", "attained")
    elif rule.kind == "mean":
        missing = set(rule.components) ^ figures.rates.keys()
        if missing:
            expected = ", ".join(rule.components)
            yield Problem("CALC-KIND", f"{path}/rates", "not the rates of the mean", expected)
    elif figures.rates:
        yield Problem("CALC-KIND", f"{path}/rates", f"{code} is no mean", "a numerator")
    elif rule.kind == "rate" and figures.denominator is None:
        yield Problem("CALC-KIND", f"{path}/denominator", f"{code} is a rate", "a denominator")


def _unknown(
    path: str, names: Iterable[str], known: Collection[str], *, itself: bool = False
) -> Iterator[Problem]:
    """`itself`: the path is that of the name; otherwise names are keys under it."""
    for name in names:
        if name not in known:
            where = path if itself else f"{path}/{name}"
            yield Problem("CALC-NAME", where, f"{name} is not known", ", ".join(known))


def base_of(programme: Programme, inputs: Inputs, group: str) -> Fraction | None:
    """The forfait of a group in euros before the window's rate; None where nothing is given."""
    if group in inputs.base:
        return inputs.base[group]
    budget = programme.groups[group].budget
    if budget is None:
        return None
    if group in inputs.share:
        return budget.value * inputs.share[group] / 100
    if group in inputs.activity:
        activity = inputs.activity[group]
        # Without activity in 2019 there is nothing to share in, whatever the pool.
        return budget.value * Fraction(activity.establishment, activity.pool or 1)
    return None
