"""Products, their versions and their referencing, and the software of a beneficiary: declared."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from services.usage.domain.rules.figures import Name, Strict
from services.usage.domain.rules.software import Certification
from services.usage.domain.sons.calendar import Calendar, Step
from socle.problems import Problem

Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+){0,9}$", max_length=60)]
VERSIONS = 100
SOFTWARE = 50


class Referencing(Strict):
    """In a wave, from its first day up to, not including, the day on which it ended."""

    wave: Name
    since: Day = Field(alias="from")
    until: Day | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Referencing":
        if self.until is not None and self.until <= self.since:
            raise ValueError("to is the first day without: after from")
        return self

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


class Version(Strict):
    version: Name
    published_on: Day
    referenced: Annotated[tuple[Referencing, ...], Field(max_length=20)] = ()
    certifications: Annotated[tuple[Certification, ...], Field(max_length=20)] = ()

    def is_referenced(self, day: date) -> bool:
        return any(it.holds(day) for it in self.referenced)


class Product(Strict):
    """Of a vendor; synthetic in this sandbox."""

    name: Label
    vendor: Label
    couloir: Name
    category: Name
    versions: Annotated[tuple[Version, ...], Field(min_length=1, max_length=VERSIONS)]

    @model_validator(mode="after")
    def _names_each_version_once(self) -> "Product":
        names = [it.version for it in self.versions]
        if len(names) > len(set(names)):
            raise ValueError("a version stands twice")
        return self

    def find(self, version: str) -> Version | None:
        return next((it for it in self.versions if it.version == version), None)

    def latest(self, day: date) -> Version | None:
        """The last one published by a day."""
        known = [it for it in self.versions if it.published_on <= day]
        return max(known, key=lambda it: it.published_on, default=None)


class Use(Strict):
    """A product's version at a beneficiary, from its installation up to the day of its removal."""

    product: Slug
    version: Name
    ordered_on: Day | None = None
    installed_on: Day | None = None
    proven_on: Day | None = None
    """When the proof of the installation was sent."""
    removed_on: Day | None = None

    @model_validator(mode="after")
    def _happens_in_order(self) -> "Use":
        days = [self.ordered_on, self.installed_on, self.removed_on]
        known = [day for day in days if day is not None]
        if known != sorted(known):
            raise ValueError("ordered, then installed, then removed")
        return self

    def in_use(self, day: date) -> bool:
        return (
            self.installed_on is not None
            and self.installed_on <= day
            and (self.removed_on is None or day < self.removed_on)
        )

    def done(self, step: Step) -> date | None:
        return {
            "ordered_by": self.ordered_on,
            "installed_by": self.installed_on,
            "proven_by": self.proven_on,
        }.get(step)


Uses = Annotated[tuple[Use, ...], Field(max_length=SOFTWARE)]


def product_problems(known: Calendar, product: Product) -> list[Problem]:
    """Names that the calendar does not have, and referencings outside its dates: those before the text
    was published are errors; late ones are warnings, since dates moved and some are not verified."""
    couloir = known.couloirs.get(product.couloir)
    if couloir is None:
        expected = ", ".join(known.couloirs)
        return [_problem("SONS-COULOIR", "/couloir", f"no couloir {product.couloir}", expected)]
    problems = []
    if product.category not in couloir.categories:
        problems.append(
            _problem(
                "SONS-CATEGORY", "/category", f"{product.couloir} has no {product.category}",
                ", ".join(couloir.categories),
            )
        )  # fmt: skip
    for number, version in enumerate(product.versions):
        for place, it in enumerate(version.referenced):
            path = f"/versions/{number}/referenced/{place}"
            wave = couloir.waves.get(it.wave)
            if wave is None:
                problems.append(
                    _problem(
                        "SONS-WAVE", f"{path}/wave", f"{product.couloir} has no {it.wave}",
                        ", ".join(couloir.waves),
                    )
                )  # fmt: skip
                continue
            for step in ("published", "opened"):
                first = wave.milestones.get(step)
                if first is not None and it.since < first.day:
                    problems.append(
                        _problem(
                            "SONS-EARLY", f"{path}/from", f"before the wave was {step}",
                            f"{first.day} or later", first.source,
                        )
                    )  # fmt: skip
            last = wave.milestones.get("referenced_by")
            if last is not None and it.since > last.day:
                problems.append(
                    _problem(
                        "SONS-LATE", f"{path}/from", "after the deadline of the wave",
                        f"{last.day} at the latest", last.source, severity="warning",
                    )
                )  # fmt: skip
    return problems


def _problem(
    rule: str,
    path: str,
    message: str,
    expected: str,
    source: str = "GET /usage/sons",
    *,
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    return Problem(rule, path, message, expected, severity, source)
