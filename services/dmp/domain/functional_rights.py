"""Which transactions a caller may use: the functional rights matrix, a dated data file beside this."""

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal

import yaml

from services.dmp.domain.visibility import Purpose
from socle.problems import Problem

Column = Literal["professional", "doctor", "treating_doctor", "establishment"]
DOCTOR: Final = "10"
"""The profession of doctors in 1.2.250.1.71.1.2.7."""
AIR: Final = "INDIRECTE_RENFORCEE"
_LETTERS: Final[dict[Purpose, str]] = {"normal": "n", "centre_15": "r", "bris_de_glace": "b"}
_ESTABLISHMENT_ROLE: Final = "AUTOMATE"


def column_of(roles: tuple[str, ...], *, is_treating_doctor: bool) -> Column:
    """From the roles of a VIHF: a profession, then a specialty; or AUTOMATE for a machine."""
    if _ESTABLISHMENT_ROLE in roles:
        return "establishment"
    if is_treating_doctor:
        return "treating_doctor"
    return "doctor" if DOCTOR in roles[:1] else "professional"


def check_right(transaction: str, column: Column, purpose: Purpose, mode: str) -> Problem | None:
    """A refusal, or None. A transaction that the matrix does not know is not restricted by it."""
    matrix = _matrix()
    row = matrix["rights"].get(transaction)
    if row is None:
        return None
    source = f"{matrix['source']}, second hand (spec dmp.md §1.9)"
    if mode == AIR and transaction in matrix["air_forbids"]:
        return Problem("DMP-RIGHTS-AIR", transaction, f"{transaction} is not allowed in AIR",
                       "another mode of authentication", source=source)  # fmt: skip
    if _LETTERS[purpose] in row[column]:
        return None
    allowed = [name for name, letter in _LETTERS.items() if letter in row[column]]
    return Problem(
        "DMP-RIGHTS",
        transaction,
        f"{matrix['columns'][column]} may not use {transaction} under {purpose}",
        f"{' or '.join(allowed)} as purpose of use" if allowed else "another caller",
        source=source,
    )


@lru_cache
def _matrix() -> dict[str, Any]:
    text = files(__package__).joinpath("functional_rights.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read
