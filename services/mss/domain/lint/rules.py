"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from services.mss.domain.lint.mail import Mail
from socle.problems import Problem, Severity

Confidence = Literal["primary", "second hand", "our choice"]
"""Read in a text of the ANS or an RFC; quoted by others; decided here."""

REF2: Final = "Référentiel socle MSSanté #2 v1.0.1, as quoted (spec: mss.md §1.2)"


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` is `header:Name`, `body`, `part[n]`, or a place in IHE_XDM.ZIP. `found` never quotes what
    names a person."""

    path: str
    found: str
    expected: str
    severity: Severity = "error"
    detail: str = ""
    """The rule id of the part that found it, where that is another's: of the archive, of the CDA."""


Findings = Iterable[Finding]


@dataclass(frozen=True, slots=True)
class Rule:
    """`eco` is the requirement of Référentiel #2, `segur` that of the REM; either may be missing."""

    id: str
    title: str
    eco: str
    segur: str
    source: str
    confidence: Confidence
    check: Callable[[Mail], Findings | None]
    """None where the rule does not apply to this mail."""


RuleCheck = Callable[[Mail], Findings | None]


def rule(
    id_: str,
    title: str,
    *,
    eco: str = "",
    segur: str = "",
    source: str = REF2,
    confidence: Confidence = "second hand",
) -> Callable[[RuleCheck], Rule]:
    def made(check: RuleCheck) -> Rule:
        return Rule(id_, title, eco, segur, source, confidence, check)

    return made


def of_problems(problems: Iterable[Problem], where: str) -> list[Finding]:
    """Findings of another part, at their place in the mail."""
    return [
        Finding(f"{where}/{it.path.lstrip('/')}", it.message, it.expected, it.severity, it.rule)
        for it in problems
    ]
