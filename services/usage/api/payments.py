"""/usage/{structures,professionals}/…: dossiers, and what is paid from what was counted."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import TypeAdapter, ValidationError

from services.usage import payments as use_cases
from services.usage.api.calculations import AllowUnverified
from services.usage.api.compared import compared_json
from services.usage.api.inputs import FINESS, Professional
from services.usage.api.render import outcome_json, sourced, totals_json
from services.usage.api.rules import Slug
from services.usage.domain.measures import Beneficiary
from services.usage.payments import Payments, Window
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError

router = APIRouter(prefix="/usage", tags=["payments"])

_FINESS: TypeAdapter[str] = TypeAdapter(Annotated[str, Path(pattern=FINESS)])
_PROFESSIONAL: TypeAdapter[str] = TypeAdapter(Professional)
Kind = Literal["structures", "professionals"]


def beneficiary_of(
    kind: Kind, number: Annotated[str, Path(description="FINESS; RPPS or PS_IdNat")]
) -> Beneficiary:
    """A structure or a professional, by the number in the path."""
    one = "structure" if kind == "structures" else "professional"
    try:
        read = (_FINESS if kind == "structures" else _PROFESSIONAL).validate_python(number)
    except ValidationError as error:
        raise DomainError(
            Category.INCORRECT, "beneficiary", f"Not the number of a {one}."
        ) from error
    return Beneficiary("structure" if kind == "structures" else "professional", read)


Whose = Annotated[Beneficiary, Depends(beneficiary_of)]
Programme = Annotated[str, Query(pattern=r"^[a-z0-9]+(-[a-z0-9]+){0,9}$", max_length=60)]
Options = Annotated[
    list[str], Query(alias="option", max_length=50, description="name:answer, as K3:domain")
]

Euros = Annotated[bool, Query(description="false: rates alone, no amounts")]


def options_of(given: list[str]) -> dict[str, str]:
    pairs = [entry.partition(":") for entry in given]
    if not all(name and answer for name, _, answer in pairs):
        raise DomainError(
            Category.INCORRECT, "option_unknown", "An option is given as name:answer."
        )
    return {name: answer for name, _, answer in pairs}


@router.get("/{kind}/{number}/dossiers/{programme}")
async def get_dossier(
    of: Whose, programme: Slug, space: CallerSpace, session: ReadSession
) -> dict[str, Any]:
    found = await use_cases.read_dossier(session, space, programme, of)
    if found is None:
        raise DomainError(
            Category.NOT_FOUND, "dossier_unknown", f"No dossier for {programme} was put."
        )
    return found.model_dump(mode="json")


@router.get("/{kind}/{number}/payments")
async def read_payments(
    of: Whose,
    space: CallerSpace,
    session: ReadSession,
    programme: Programme,
    window: str | None = None,
    option: Options = [],  # noqa: B006 (FastAPI copies defaults)
    euros: Euros = True,
    allow_unverified: AllowUnverified = False,
) -> dict[str, Any]:
    """Each window up to now, or the one asked for: figures, verdicts, euros, and why."""
    found = await use_cases.payments(
        session, space, programme, of, window, options_of(option),
        euros=euros, allow_unverified=allow_unverified,
    )  # fmt: skip
    return payments_json(found)


def payments_json(found: Payments) -> dict[str, Any]:
    return {
        "programme": found.programme.programme,
        "rules_version": found.programme.version,
        found.of.kind: {"id": found.of.number, "name": found.name or None},
        "dossier": None if found.dossier is None else found.dossier.model_dump(mode="json"),
        "windows": [_window(it) for it in found.windows],
        "paid": None if found.total is None else str(found.total),
    }


def _window(it: Window) -> dict[str, Any]:
    return {
        "state": it.state,
        **outcome_json(it.outcome),
        "application": _application(it),
        "declared": {
            code: totals_json(totals, it.outcome.indicators[code].numerator)
            for code, totals in it.declared.items()
        },
        "control": _control(it),
        "compared": {name: compared_json(found) for name, found in it.compared.items()},
    }


def _control(it: Window) -> dict[str, Any] | None:
    """Of the attestation: where it stands, and the euros that were decided and paid of it, which later
    figures do not change."""
    if it.control is None:
        return None
    validated = it.control.validated
    return {
        "state": it.control.state,
        "corrected": it.control.content.corrected,
        "validated": None if validated is None else str(validated),
        "paid": str(it.control.paid),
    }


def _application(it: Window) -> dict[str, Any] | None:
    """The days on which one applied for the window, and what was applied for."""
    dates = it.outcome.programme.windows[it.name].application
    if dates is None:
        return None
    groups = None if it.applied is None else list(it.applied)
    return {"from": dates.start, "to": dates.end, "groups": groups, **sourced(dates)}
