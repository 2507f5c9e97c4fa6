"""The rule files, read strictly: a number without source and confidence is refused."""

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from services.usage.domain.period import Period

Confidence = Literal["seed", "source", "memory", "assumed"]
RULES_FOLDER = Path(__file__).parent.parent / "rules"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Sourced(_Strict):
    source: str
    confidence: Confidence


class Window(_Sourced):
    """One usage period; the keys `from` and `to` are words of Python, hence the aliases."""

    start: date
    end: date

    @model_validator(mode="before")
    @classmethod
    def _read_keys(cls, raw: dict[str, object]) -> dict[str, object]:
        renamed = {"from": "start", "to": "end"}
        return {renamed.get(key, key): value for key, value in raw.items()}

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)


class Target(_Sourced):
    value: int


class Numerator(_Sourced):
    types: frozenset[str]
    levels: frozenset[Literal["N1", "N3"]]
    ins: Literal["qualified"]
    wording: str


class Denominator(_Sourced):
    activity: str
    wording: str


class Indicator(_Strict):
    title: str
    domain: str
    numerator: Numerator
    denominator: Denominator
    targets: dict[str, Target]


class Programme(_Strict):
    programme: str
    volet: int
    version: str
    title: str
    windows: dict[str, Window]
    indicators: dict[str, Indicator]

    @model_validator(mode="after")
    def _targets_name_windows(self) -> "Programme":
        for code, indicator in self.indicators.items():
            unknown = indicator.targets.keys() - self.windows.keys()
            if unknown:
                raise ValueError(f"{code} has targets for windows that do not exist: {unknown}")
        return self

    def window_at(self, instant: datetime) -> str | None:
        """The window that is open at an instant."""
        for name, window in self.windows.items():
            if instant in window.period:
                return name
        return None

    def nearest_window(self, instant: datetime) -> str:
        """The open window, or the one that is least far away in time."""

        def distance(name: str) -> float:
            period = self.windows[name].period
            return min(
                abs((period.starts_at - instant).total_seconds()),
                abs((instant - period.ends_at).total_seconds()),
            )

        return self.window_at(instant) or min(self.windows, key=distance)


def load(path: Path) -> Programme:
    return Programme.model_validate(yaml.safe_load(path.read_text("utf-8")))


@cache
def sun_es() -> Programme:
    return load(RULES_FOLDER / "sun-es-volet-1.yaml")
