"""What a programme asks of a beneficiary and the counters cannot know: stated, not counted."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from services.usage.domain.acts import forbidden_data, names_a_person
from services.usage.domain.engine.inputs import (
    FEW,
    CombinedActivity,
    Euros,
    IndicatorFigures,
    Inputs,
    Paid,
    Percent,
    faults,
)
from services.usage.domain.rules import Programme
from services.usage.domain.rules.figures import Name, Strict
from socle.problems import Problem


class Fulfilment(Strict):
    """Of a prerequisite, with where its evidence lies (spec: usage.md §2.2)."""

    fulfilled: bool
    evidence_ref: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""

    @classmethod
    def read(cls, said: object) -> object:
        """A bare yes or no has no evidence."""
        return {"fulfilled": said} if isinstance(said, bool) else said


class Dossier(Strict):
    """Of one structure or professional, for one programme."""

    applications: (
        Annotated[dict[Name, Annotated[list[Name], Field(max_length=FEW)]], Field(max_length=FEW)]
        | None
    ) = None
    """Groups applied for, by window; null: all of them, in every window."""
    base: Annotated[dict[Name, Euros], Field(max_length=FEW)] = Field({})
    share: Annotated[dict[Name, Percent], Field(max_length=FEW)] = Field({})
    activity: Annotated[dict[Name, CombinedActivity], Field(max_length=FEW)] = Field({})
    prerequisites: (
        Annotated[
            dict[Name, Annotated[Fulfilment, BeforeValidator(Fulfilment.read)]],
            Field(max_length=FEW),
        ]
        | None
    ) = None
    own: dict[Literal["own_laboratory", "own_imaging"], bool] = Field({})
    figures: Annotated[dict[Name, IndicatorFigures], Field(max_length=FEW)] = Field({})
    """Attestations, and figures of what the sandbox does not count."""
    by_window: Annotated[
        dict[Name, Annotated[dict[Name, IndicatorFigures], Field(max_length=FEW)]],
        Field(max_length=FEW),
    ] = Field({})
    """The same of one window, as a year of DONUM, in the place of `figures`."""
    patientele: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    paid: Annotated[list[Paid], Field(max_length=FEW)] = Field([])
    """Payments made before, and elsewhere."""

    def applies(self, window: str, group: str) -> bool:
        return self.applications is None or group in self.applications.get(window, ())

    def of_window(self, window: str) -> "Dossier":
        """With what is stated of this window among its figures."""
        return self.model_copy(
            update={"figures": {**self.figures, **self.by_window.get(window, {})}}
        )

    def inputs(
        self,
        window: str,
        figures: dict[str, IndicatorFigures],
        paid: list[Paid],
        options: dict[str, str],
        *,
        activity: dict[str, CombinedActivity] | None = None,
        patientele: int | None = None,
        prerequisites: dict[str, bool] | None = None,
        euros: bool = True,
    ) -> Inputs:
        """For one window, with what was counted; what the dossier gives itself comes first, save
        `prerequisites` that follow from something else."""

        def applied(given: dict[str, object]) -> dict[str, object]:
            return {name: value for name, value in given.items() if self.applies(window, name)}

        stated = {*self.base, *self.share, *self.activity}
        counted = {name: it for name, it in (activity or {}).items() if name not in stated}
        return Inputs.model_validate(
            {
                "window": window,
                "indicators": {**self.figures, **figures},
                "base": applied(dict(self.base)),
                "share": applied(dict(self.share)),
                "activity": applied({**counted, **self.activity}),
                "prerequisites": self._fulfilled(prerequisites or {}),
                "own": self.own,
                "paid": [*self.paid, *paid],
                "patientele": self.patientele if self.patientele is not None else patientele,
                "euros": None if euros else False,
                "options": options,
            }
        )

    def _fulfilled(self, derived: dict[str, bool]) -> dict[str, bool] | None:
        if self.prerequisites is None:
            return derived or None
        return {name: it.fulfilled for name, it in self.prerequisites.items()} | derived


def dossier_faults(programme: Programme, dossier: Dossier) -> list[Problem]:
    """Everything that the dossier names and the programme does not have."""
    window = next(iter(programme.windows))
    everything = dossier.model_copy(update={"applications": None})
    problems = faults(programme, everything.inputs(window, {}, [], {}))
    problems += [
        forbidden_data(f"/prerequisites/{name}/evidence_ref")
        for name, it in (dossier.prerequisites or {}).items()
        if names_a_person(it.evidence_ref)
    ]
    problems += _counted_here(programme, "/figures", dossier.figures)
    for name, figures in dossier.by_window.items():
        problems += _counted_here(programme, f"/by_window/{name}", figures)
        if name not in programme.windows:
            problems.append(_no_window(programme, f"/by_window/{name}", name))
            continue
        stated = Dossier(figures=figures).inputs(name, {}, [], {})
        problems += [
            replace(it, path=it.path.replace("/indicators", f"/by_window/{name}", 1))
            for it in faults(programme, stated)
        ]
    for name, groups in (dossier.applications or {}).items():
        if name not in programme.windows:
            problems.append(_no_window(programme, f"/applications/{name}", name))
        problems += [
            Problem(
                "CALC-NAME", f"/applications/{name}", f"{group} is not known",
                ", ".join(programme.groups),
            )
            for group in groups
            if group not in programme.groups
        ]  # fmt: skip
    return problems


def _counted_here(
    programme: Programme, path: str, figures: dict[str, IndicatorFigures]
) -> list[Problem]:
    """What is counted is never read from a dossier: kept there, it would seem to count."""
    return [
        Problem(
            "DOSSIER-COUNTED", f"{path}/{code}", f"{code} is counted here",
            "acts and lists, or POST /usage/activity/totals",
        )
        for code in figures
        if (rule := programme.indicators.get(code)) is not None
        and rule.decided_by == "observed"
        and rule.numerator is not None
        and all(side.measure for side in (rule.numerator, rule.denominator) if side is not None)
    ]  # fmt: skip


def _no_window(programme: Programme, path: str, name: str) -> Problem:
    return Problem("CALC-NAME", path, f"{name} is not known", ", ".join(programme.windows))
