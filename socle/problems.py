"""What is wrong with an input, said so that the person who sent it can put it right."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of one rule.

    `path` is an XPath for XML, a FHIRPath for FHIR and a JSON pointer elsewhere; `expected`
    says what would have been right; `source` names the section of the specification.
    """

    rule: str
    path: str
    message: str
    expected: str = ""
    severity: Severity = "error"
    source: str = ""


def has_errors(problems: list[Problem] | tuple[Problem, ...]) -> bool:
    return any(problem.severity == "error" for problem in problems)
