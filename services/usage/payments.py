"""Use cases: what a structure or a professional is paid, from what was counted of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import calculations, dossiers_repository
from services.usage.comparisons import Comparison, add_seen, compare, software_for
from services.usage.controls import Control, controls_of
from services.usage.counting import DeclaredTotals, count, declared
from services.usage.domain.dossier import Dossier, dossier_faults
from services.usage.domain.engine import Inputs, Outcome, Paid
from services.usage.domain.engine.inputs import CombinedActivity
from services.usage.domain.measures import Beneficiary, Patients
from services.usage.domain.period import Period
from services.usage.domain.rules import Programme, RuleBook, UnknownOption
from services.usage.domain.rules.money import BudgetShare, Tiers
from services.usage.indicators import name_of
from services.usage.rule_store import book_of
from services.usage.window_figures import counted
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.spaces import Space

BASE_YEAR = Period(date(2019, 1, 1), date(2020, 1, 1))
State = Literal["closed", "open", "to_come"]


@dataclass(frozen=True, slots=True)
class Window:
    """One window: what was counted, what was declared beside it, and what follows."""

    name: str
    period: Period
    state: State
    inputs: Inputs
    outcome: Outcome
    declared: Mapping[str, DeclaredTotals]
    applied: tuple[str, ...] | None
    """Groups applied for; None where the dossier does not say."""
    control: Control | None
    """Of the attestation, where there is one."""
    compared: Mapping[str, Comparison]
    """Attestations beside what follows from the software, and from what was counted."""

    @property
    def due(self) -> Decimal | None:
        validated = self.control.validated if self.control else None
        return self.outcome.amount if validated is None else validated


@dataclass(frozen=True, slots=True)
class Payments:
    programme: Programme
    of: Beneficiary
    name: str
    windows: tuple[Window, ...]
    dossier: Dossier | None

    @property
    def total(self) -> Decimal | None:
        """Of the windows that are closed: what was decided of the attestation, and where nothing was,
        what follows from the figures."""
        amounts = [it.due for it in self.windows if it.state == "closed"]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if known else None


async def payments(
    session: AsyncSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    options: dict[str, str],
    *,
    euros: bool = True,
    allow_unverified: bool,
) -> Payments:
    """Every window up to the one asked for, or up to now, in the order in which they are paid: what
    an earlier one paid counts for the cap, and is not paid again."""
    book = (await book_of(session, space.name, programme)).book
    rules = under(book, options)
    check_kind(rules, of)
    if window is not None and window not in rules.windows:
        known = ", ".join(rules.windows)
        before = f" Before it: {rules.preceded_by}." if rules.preceded_by else ""
        raise DomainError(
            Category.NOT_FOUND,
            "window_unknown",
            f"{programme} has no window {window}; it has {known}.{before}",
        )
    name = await name_of(session, space, of)
    stored = await read_dossier(session, space, programme, of)
    dossier = stored or Dossier()
    stated = {*dossier.base, *dossier.share, *dossier.activity}
    shared = [group for group in rules.groups if euros and group not in stated]
    activity = await _combined_activity(session, space.name, rules, of, shared)
    software = await software_for(session, space, rules, of)
    controls = await controls_of(session, space, programme, of)
    found: list[Window] = []
    paid: list[Paid] = []
    for each, dates in sorted(rules.windows.items(), key=lambda pair: pair[1].start):
        period = dates.period
        state = _state(space, rules, period)
        if window is None and state == "to_come":
            continue
        if window not in (None, each) and not euros:
            continue  # earlier windows matter for what they paid alone
        said = dossier.of_window(each)
        compared = compare(space, rules, said, period, software)
        await add_seen(session, space, rules, of, period, said, compared.comparisons)
        figures, told = await counted(session, space, rules, of, period, said, compared.comparisons)
        figures |= compared.figures
        control = controls.get(each)
        if control is not None:
            figures = control.corrected(figures)
        patientele = None
        if isinstance(rules.money, Tiers):
            listed = Patients(count="patients", list="patientele")
            patientele = await count(session, space.name, listed, of, period, rules.counting)
        inputs = said.inputs(
            each, figures, paid, options, activity=activity, patientele=patientele,
            prerequisites=_known(rules, dossier, compared.prerequisites), euros=euros,
        )  # fmt: skip
        outcome = calculations.run(book, inputs, allow_unverified=allow_unverified)
        decided = control.decided(each) if control else None
        paid += paid_by_group(each, outcome) if decided is None else decided
        applied = None if dossier.applications is None else dossier.applications.get(each, ())
        found.append(
            Window(
                each, period, state, inputs, outcome, told,
                None if applied is None else tuple(applied), control, compared.comparisons,
            )
        )  # fmt: skip
        if each == window:
            break
    kept = found if window is None else [it for it in found if it.name == window]
    return Payments(rules, of, name, tuple(kept), stored)


def under(book: RuleBook, options: dict[str, str]) -> Programme:
    try:
        return book.under(options)
    except UnknownOption as error:
        raise DomainError(Category.INCORRECT, "option_unknown", f"{error}.") from error


def check_kind(rules: Programme, of: Beneficiary) -> None:
    if rules.beneficiary != of.kind:
        raise DomainError(
            Category.INCORRECT, "beneficiary", f"{rules.programme} pays a {rules.beneficiary}."
        )


def _state(space: Space, rules: Programme, period: Period) -> State:
    """By the clock of the space; a period closes at its end, and its days of grace after it."""
    now = space.now()
    if now < period.starts_at:
        return "to_come"
    return "closed" if now >= rules.counting.closes_at(period) else "open"


async def _combined_activity(
    session: AsyncSession, space: str, rules: Programme, of: Beneficiary, groups: Iterable[str]
) -> dict[str, CombinedActivity]:
    """Of 2019, of the structure and of all of the space, where it was declared."""
    found: dict[str, CombinedActivity] = {}
    if not isinstance(rules.money, BudgetShare):
        return found
    for group in groups:
        item = f"combined_activity/{group}"
        own = (await declared(session, space, item, of, BASE_YEAR)).denominator
        pool = (await declared(session, space, item, Beneficiary("space"), BASE_YEAR)).denominator
        if own is not None and pool is not None:
            found[group] = CombinedActivity(establishment=own, pool=pool)
    return found


def _known(rules: Programme, dossier: Dossier, derived: dict[str, bool]) -> dict[str, bool]:
    """Prerequisites of which nothing is stated are taken as fulfilled; one that is derived counts."""
    if not derived or dossier.prerequisites is not None:
        return derived
    return dict.fromkeys(rules.prerequisites, True) | derived


def paid_by_group(window: str, outcome: Outcome) -> list[Paid]:
    """What a window pays, by group; a cap on the sum takes from the last of them, and so does what
    rounding makes of it: the cap of later windows is held against euros that were paid."""
    left = Fraction(outcome.amount or 0)
    amounts: dict[str, Fraction] = {}
    for name, group in outcome.groups.items():
        amounts[name] = min(group.amount or Fraction(0), left)
        left -= amounts[name]
    paying = [name for name, amount in amounts.items() if amount > 0]
    if paying:
        amounts[paying[-1]] += left
    return [Paid(window=window, group=name, amount=amounts[name]) for name in paying]


async def read_dossier(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary
) -> Dossier | None:
    body = await dossiers_repository.find(session, space.name, of.key, programme)
    if body is None:
        return None
    try:
        return Dossier.model_validate_json(body)
    except ValidationError as error:
        raise DomainError(
            Category.CONFLICT,
            "dossier_outdated",
            "This version of Socle no longer reads the dossier; put it again.",
        ) from error


async def store_dossier(
    session: WriteSession, space: Space, programme: str, of: Beneficiary, dossier: Dossier
) -> None:
    """The last word holds. Raises DomainError with every name that the programme does not have."""
    rules = (await book_of(session, space.name, programme)).book.programme
    check_kind(rules, of)
    await name_of(session, space, of)
    problems = dossier_faults(rules, dossier)
    if problems:
        raise DomainError(
            Category.INCORRECT,
            "dossier_refused",
            f"This dossier does not fit {programme} ({len(problems)} problems).",
            problems=problems,
        )
    body = dossier.model_dump_json(exclude_defaults=True)
    await dossiers_repository.put(session, space.name, of.key, programme, body, space.now())
