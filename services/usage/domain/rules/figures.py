"""Numbers of the rule files: exact, with unit, validity, source and confidence."""

import re
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

Confidence = Literal["seed", "source", "memory", "assumed"]
"""`seed`: a document that the project was born from; `source`: a public page; `memory` and
`assumed`: never a ground for euros."""
LOW: frozenset[str] = frozenset({"memory", "assumed", "unknown"})

Unit = Literal[
    "percent",
    "ratio",
    "points",
    "eur",
    "eur_per_point",
    "patients",
    "documents",
    "messages",
    "days",
    "hours",
]

_EXACT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12}|/[1-9][0-9]{0,17})?")
_LARGEST = 10**18

# NUL cannot be stored, and no sentence needs a control character.
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]


def exact(raw: Any) -> Fraction:
    """A whole number, or text such as `2/3` and `0.125`; a binary fraction is refused."""
    if isinstance(raw, Fraction):
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < _LARGEST:
        return Fraction(raw)
    if isinstance(raw, str) and _EXACT.fullmatch(raw):
        return Fraction(raw)
    raise ValueError('an exact number: a whole one, or text such as "2/3" or "0.125"')


def written(value: Fraction) -> int | str:
    """A number as rule files write it."""
    return value.numerator if value.denominator == 1 else str(value)


Exact = Annotated[
    Fraction,
    BeforeValidator(exact),
    PlainSerializer(written, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_EXACT.pattern}$"}]}
    ),
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Sourced(Strict):
    source: Text
    confidence: Confidence


class Figure(Sourced):
    """A number, in force from `valid_from` up to, not including, `valid_to`; null is without end."""

    value: Exact
    unit: Unit
    valid_from: date | None
    valid_to: date | None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Figure":
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is the day after the last one in force: after valid_from")
        return self

    def in_force(self, day: date) -> bool:
        return not (
            (self.valid_from and day < self.valid_from) or (self.valid_to and day >= self.valid_to)
        )


class Amount(Figure):
    """A number that cannot be below zero."""

    value: Annotated[Exact, Field(ge=0)]


class Announced(Figure):
    """A figure that was announced and is not computed with, such as « près de 2 000 € »."""

    wording: Text
