"""How every header rule says what it found."""

from typing import Final

from socle.cda.model import Code, Id
from socle.ids.hl7_datetime import Hl7DateTime, parse_ts
from socle.problems import Problem, Severity

SOURCE: Final = "CI-SIS Structuration minimale v1.16.7"
ROOT: Final = "/ClinicalDocument"


def finding(
    rule: str, path: str, message: str, expected: str, severity: Severity = "error"
) -> Problem:
    """`rule` and `path` are relative to the header; both are stable."""
    return Problem(
        rule=f"CDA-HDR-{rule}",
        path=f"{ROOT}/{path}".rstrip("/"),
        message=message,
        expected=expected,
        severity=severity,
        source=SOURCE,
    )


def missing(rule: str, path: str, expected: str, severity: Severity = "error") -> Problem:
    return finding(rule, path, f"{path.rsplit('/', 1)[-1]} est absent", expected, severity)


def read_stamp(
    rule: str, path: str, text: str, severity: Severity = "error"
) -> tuple[Hl7DateTime | None, list[Problem]]:
    """The stamp, or the problem of one that cannot be read."""
    try:
        return parse_ts(text), []
    except ValueError as fault:
        return None, [finding(rule, path, str(fault), "AAAAMMJJhhmmss±hhmm", severity)]


def check_system(rule: str, path: str, code: Code, system: str, name: str) -> list[Problem]:
    if code.system == system:
        return []
    message = f"codeSystem vaut « {code.system} »"
    return [finding(rule, f"{path}/@codeSystem", message, f"{system} ({name})")]


def id_with_root(ids: tuple[Id, ...], root: str) -> Id | None:
    return next((it for it in ids if it.root == root), None)
