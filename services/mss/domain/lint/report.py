"""All rules on one mail, and what they amount to."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from services.mss.domain.lint import archive, body, copies, headers, people, subject, transport
from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.rules import Finding, Rule
from services.mss.domain.parameters import without_surrogates

RULES: Final[tuple[Rule, ...]] = (
    *transport.RULES, *headers.RULES, *subject.RULES, *body.RULES, *archive.RULES, *copies.RULES,
    *people.RULES,
)  # fmt: skip
READABLE: Final = Rule(
    "MSS-READABLE", "the mail can be read", "", "", "this sandbox", "our choice", lambda _: None
)
BY_ID: Final = {rule.id: rule for rule in (*RULES, READABLE)}
_BROKEN: Final = Finding("", "the rule itself failed on this mail", "please tell us", "warning")
MAX_FINDINGS: Final = 100
"""Of one rule: a hostile archive has thousands of oddities."""

VERSION: Final = 2
"""Of the rules: a stored report of an older version is made anew when it is read."""

Outcome = Literal["passed", "warning", "failed", "not-applicable"]


@dataclass(frozen=True, slots=True)
class Verdict:
    rule: Rule
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    verdicts: tuple[Verdict, ...]

    @property
    def outcome(self) -> Outcome:
        outcomes = {verdict.outcome for verdict in self.verdicts}
        return next((it for it in ("failed", "warning") if it in outcomes), "passed")

    @property
    def first_error(self) -> Verdict | None:
        return next((it for it in self.verdicts if it.outcome == "failed"), None)

    def as_json(self) -> list[dict[str, Any]]:
        """What is stored: outcomes and findings; the rules themselves are told when it is shown."""
        return [
            {
                "rule": it.rule.id,
                "outcome": it.outcome,
                "findings": [
                    {name: _storable(getattr(one, name)) for name in Finding.__slots__}
                    for one in it.findings
                ],
            }
            for it in self.verdicts
        ]


def lint(mail: Mail) -> Report:
    return Report(tuple(_verdict(rule, mail) for rule in RULES))


def unreadable() -> Report:
    """Of a mail that broke its reading: a mistake of ours, and no reason to lose it."""
    return Report((Verdict(READABLE, "warning", (_BROKEN,)),))


def _verdict(rule: Rule, mail: Mail) -> Verdict:
    try:
        found = rule.check(mail)
        findings = () if found is None else tuple(found)
    except Exception:  # noqa: BLE001 — a rule that breaks on one mail must not stop the others
        return Verdict(rule, "warning", (_BROKEN,))
    if found is None:
        return Verdict(rule, "not-applicable")
    errors = any(finding.severity == "error" for finding in findings)
    outcome: Outcome = "failed" if errors else "warning" if findings else "passed"
    return Verdict(rule, outcome, findings[:MAX_FINDINGS])


def _storable(text: str) -> str:
    """What a finding quotes may hold NUL and halves of characters, which no jsonb takes."""
    return without_surrogates(text.replace("\0", "\ufffd"))
