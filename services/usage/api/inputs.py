"""The words that every declaration is made of."""

from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from services.usage.counting import national_id
from services.usage.domain.period import EARLIEST, LATEST, paris_midnight
from socle.errors import Category, DomainError
from socle.ids.ins import Ins
from socle.ids.professionals import parse_idnat
from socle.kernel import Kernel
from socle.problems import Problem

# Nine characters; the fictive ones of the test platforms hold letters (spec: psc.md §8).
FINESS = r"^[0-9AB][0-9A-Z]{8}$"
FinessInPath = Annotated[str, Path(pattern=FINESS)]
Finess = Annotated[str, Field(pattern=FINESS)]
# PostgreSQL cannot hold U+0000, and an identifier or a name has no use for control characters.
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
# The same bounds as a period's, midnight in Paris.
Instant = Annotated[AwareDatetime, Field(ge=paris_midnight(EARLIEST), lt=paris_midnight(LATEST))]
Day = Annotated[date, Field(ge=EARLIEST, lt=LATEST)]


def _read_professional(value: str) -> str:
    idnat = national_id(value)
    if parse_idnat(idnat) is None or len(idnat) > 64:
        raise ValueError("an RPPS of eleven digits, or a national identifier (PS_IdNat)")
    return idnat


Professional = Annotated[
    str, Field(max_length=64, pattern=r"^[\x21-\x7e]*$"), AfterValidator(_read_professional)
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PatientIn(Strict):
    """The INS as it is known to the caller; only its pseudonym is kept, and told."""

    oid: Annotated[str, Field(max_length=64)]
    matricule: Annotated[str, Field(max_length=32, repr=False)]


def pseudonym_of(
    kernel: Kernel, space: str, patient: PatientIn | None, path: str, problems: list[Problem]
) -> str | None:
    if patient is None:
        return None
    ins, faults = Ins.check(patient.oid.removeprefix("urn:oid:"), patient.matricule.upper())
    if ins is None:
        problems += [
            Problem(
                "INS-MATRICULE", f"{path}/patient/matricule", "not an INS",
                "an OID of the INS, and 13 or 15 characters with the right key",
                source="ins.md §1.3",
            )
            for _ in faults[:1]
        ]  # fmt: skip
        return None
    return kernel.pseudonym(space, ins.oid, ins.matricule)


def refuse_if_any(problems: list[Problem], more: int = 0) -> None:
    """`more` were found than are told."""
    if not problems:
        return
    total = len(problems) + more
    if any(problem.rule == "ACT-NIR" for problem in problems):
        raise DomainError(
            Category.UNPROCESSABLE,
            "donnee_interdite",
            f"A number of a person must not be sent for counting ({total} problems).",
            problems=problems,
        )
    raise DomainError(
        Category.INCORRECT,
        "invalid_request_body",
        f"Nothing is counted, since what was declared is not in order ({total} problems).",
        problems=problems,
    )
