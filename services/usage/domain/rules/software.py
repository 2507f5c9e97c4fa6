"""What a programme asks of the software of a beneficiary (spec: usage.md §5.2 and §7)."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.usage.domain.rules.figures import Name, Sourced

Certification = Literal["LAP", "SESAM-VITALE-AVENANT-8", "DMP"]
"""LAP: certified by the HAS; SESAM-Vitale: the specification with addendum 8, ApCV included; DMP: compatible."""


class SoftwareRule(Sourced):
    """Software in use on the day that counts: referenced in one of the couloirs, and certified so.

    Each part may be met by another product. `match: any` asks for one part alone.
    """

    couloirs: Annotated[list[Name], Field(max_length=20)] = Field([])
    latest: bool = False
    """Asks for the last version that was published, not for any referenced one."""
    certifications: Annotated[list[Certification], Field(max_length=20)] = Field([])
    match: Literal["all", "any"] = "all"
    by: date | None = None
    """The day that counts; null is the last day of the window."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> "SoftwareRule":
        if not self.couloirs and not self.certifications:
            raise ValueError("a rule on software names couloirs, certifications or both")
        if self.latest and not self.couloirs:
            raise ValueError("latest is said of the referenced product: name its couloirs")
        return self
