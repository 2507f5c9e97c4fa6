"""How strictly a submission is judged: SOCLE_DMP_VALIDATION, or `Prefer: handling=` of one request.

- `standard` refuses what the DMP needs to keep and find a document, and tells the rest;
- `strict` refuses whatever the guides ask for, also where their own examples lack it;
- `lenient` keeps whatever can be kept. It names every deviation, and never loosens what protects a
  patient: bytes, hash, size, a patient of the submission, a qualified INS.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from socle.problems import Problem

Validation = Literal["strict", "standard", "lenient"]

_EXTRACTS: Final = frozenset({"CDA-HDR-code-unlisted", "CDA-HDR-practiceSetting"})
"""Warnings that rest on a value set of which only an extract is known here: never a reason."""

_UNKNOWN_TYPE: Final = "CDA-HDR-code-unlisted"


@dataclass(frozen=True, slots=True)
class Policy:
    validation: Validation = "standard"
    refuse_unknown_types: bool = True
    compare_traits: bool = True

    @property
    def compares_traits(self) -> bool:
        """Whether the document's traits must be those that INS has with this number."""
        return self.compare_traits and not self.is_lenient

    @property
    def is_lenient(self) -> bool:
        return self.validation == "lenient"

    def of_header(self, problems: Iterable[Problem]) -> list[Problem]:
        """Findings of the CDA header."""
        judged = []
        for one in problems:
            if one.rule == _UNKNOWN_TYPE and self.refuse_unknown_types and not self.is_lenient:
                one = replace(one, severity="error")
            elif self.is_lenient and one.rule.startswith("CDA-HDR-"):
                one = replace(one, severity="warning")
            judged.append(one)
        return self.of_profile(judged)

    def of_profile(self, problems: Iterable[Problem]) -> list[Problem]:
        """Findings of which the rule itself says whether the guides' own examples break it."""
        if self.validation != "strict":
            return list(problems)
        return [
            one if one.rule in _EXTRACTS else replace(one, severity="error") for one in problems
        ]

    def of_form(self, problems: Iterable[Problem]) -> list[Problem]:
        """Findings about how something is written that nothing else depends on."""
        if not self.is_lenient:
            return list(problems)
        return [replace(one, severity="warning") for one in problems]

    def preferring(self, prefer: str | None) -> "Policy":
        """RFC 7240 §4.4; what is neither `strict` nor `lenient` is ignored, as it says."""
        for preference in (prefer or "").replace(";", ",").split(","):
            name, _, value = preference.partition("=")
            handling = value.strip().strip('"').lower()
            if name.strip().lower() == "handling" and handling in ("strict", "lenient"):
                return replace(self, validation=cast(Validation, handling))
        return self
