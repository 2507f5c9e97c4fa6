"""Who may read a record: its state, the patient's will, an authorization (spec: dmp.md §1.3, §1.9)."""

from services.dmp.domain.record import AccessRight, Record
from services.dmp.domain.visibility import Reader
from socle.problems import Problem

SOURCE = "spec dmp.md §1.3 (TD0.3), §1.9; mes.md §A.6"


def judge(
    reader: Reader, record: Record | None, right: AccessRight | None
) -> tuple[Problem | None, list[Problem]]:
    """A refusal, or what would be one under SOCLE_DMP_AUTHORIZATIONS=enforce.

    `record` is None where nothing differs from what everybody has.
    """
    if reader.sees_everything or not reader.identifier:
        return None, []
    if record is not None and not record.is_open:
        return _problem("CLOSED", "the record is closed or does not exist", "TD0.2 says active"), []
    if right is not None and right.mode == "INTERDITE":
        return _problem(
            "BLOCKED", "the patient blocked this professional", "another professional"
        ), []
    if reader.is_emergency:
        return _opposition(reader, record), []
    if right is not None:
        return None, []
    missing = _problem(
        "AUTHORIZATION",
        "this professional has no authorization of the patient",
        "setAuthorization AJOUT (TD0.3) once the patient agreed, or an emergency as purpose of use",
    )
    return (missing, []) if reader.needs_right else (None, [missing])


def _opposition(reader: Reader, record: Record | None) -> Problem | None:
    """The patient may oppose each kind of emergency."""
    if record is None:
        return None
    opposed = (
        record.opposes_break_glass
        if reader.purpose == "bris_de_glace"
        else record.opposes_emergency
    )
    if not opposed:
        return None
    return _problem("OPPOSED", f"the patient opposes {reader.purpose}", "the normal access")


def _problem(rule: str, message: str, expected: str) -> Problem:
    return Problem(f"DMP-ACCESS-{rule}", "patient", message, expected, source=SOURCE)
