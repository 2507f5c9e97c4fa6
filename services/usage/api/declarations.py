"""What is declared in totals or lists: oSIS-like months, activity of 2019, doctors' lists of patients."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.api.declaring import Declaring
from services.usage.api.inputs import (
    FINESS,
    Day,
    Finess,
    PatientIn,
    Professional,
    Strict,
    pseudonym_of,
    refuse_if_any,
)
from services.usage.counting import count, declared
from services.usage.declared_totals import Span, Total, list_totals, span_of
from services.usage.domain.acts import DOMAINS, KINDS, WITH_DOMAIN
from services.usage.domain.engine import IndicatorFigures
from services.usage.domain.measures import Acts, Beneficiary, Patients
from services.usage.domain.period import Period
from services.usage.events import PATIENT_LISTED, TOTALS_DECLARED, activity_event
from services.usage.indicators import figures_of
from services.usage.payments import BASE_YEAR
from services.usage.rule_store import in_force
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.problems import Problem

router = APIRouter(prefix="/usage/activity", tags=["activity"])

# An indicator, a kind of act (with its domain), or the key by which SUN-ES shares its budget out.
ITEM = r"^([A-Z][A-Z0-9_-]{1,15}|[a-z]+\.[a-z]+(/[a-z]+)?|combined_activity/[a-z]+)$"
COMBINED = "combined_activity/"
MOST = 10**12
Amount = Annotated[int, Field(ge=0, le=MOST)]


class TotalIn(Strict):
    """Of one month (`2022-03`) or one year (`2019`); the last declaration of the same span holds."""

    item: Annotated[str, Field(pattern=ITEM, max_length=64)]
    span: Annotated[str, Field(pattern=r"^20[0-9]{2}(-(0[1-9]|1[0-2]))?$")]
    numerator: Amount | None = None
    denominator: Amount | None = None


class TotalsIn(Strict):
    structure: Finess | None = None
    professional: Professional | None = None
    totals: list[TotalIn] = Field(min_length=1, max_length=1000)

    def problems(self, known: Mapping[str, Sequence[Period] | None]) -> list[Problem]:
        """`known`: the items that something here reads of this owner, and the periods in one of which a
        span must lie to be read; None where any span is."""
        found = _owner_problems(self.structure, self.professional)
        if found:
            return found
        for position, total in enumerate(self.totals):
            found += _problems(total, f"/body/totals/{position}", known)
        return found


def _problems(
    total: TotalIn, path: str, known: Mapping[str, Sequence[Period] | None]
) -> Iterator[Problem]:
    if total.numerator is None and total.denominator is None:
        yield Problem("TOTAL-EMPTY", path, "says nothing", "a numerator, a denominator or both")
    if total.item not in known:
        yield Problem(
            "TOTAL-ITEM", f"{path}/item", "counts for nothing here, or not for this owner",
            ", ".join(known),
        )  # fmt: skip
        return
    is_indicator = "." not in total.item and "/" not in total.item
    if total.denominator is None and total.numerator is not None and not is_indicator:
        yield Problem(
            "TOTAL-EMPTY", f"{path}/denominator", f"{total.item} is a number alone, its denominator",
            "a denominator",
        )  # fmt: skip
    periods, span = known[total.item], span_of(total.span)
    if total.item.startswith(COMBINED):
        if total.span != str(BASE_YEAR.start.year):
            yield Problem(
                "TOTAL-SPAN", f"{path}/span", "combined activity is of one year",
                str(BASE_YEAR.start.year),
            )  # fmt: skip
    elif periods is not None and not any(_holds(it, span) for it in periods):
        told = (f"{it.start} to {it.end - timedelta(days=1)}" for it in periods)
        yield Problem(
            "TOTAL-SPAN", f"{path}/span", f"no period in which {total.item} is counted holds it whole",
            f"a month or a year of one of {', '.join(told)}",
        )  # fmt: skip


def _holds(period: Period, span: Span) -> bool:
    return period.start <= span.start and span.end <= period.end


@router.post("/totals", status_code=201)
async def declare_totals(
    body: TotalsIn, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> dict[str, int]:
    """Shown beside what is observed; a declared numerator pays nothing unless a rule says so."""
    refuse_if_any(body.problems(await _items(session, space.name, body.structure is not None)))
    now = space.now()
    events = []
    for total in body.totals:
        span = span_of(total.span)
        data = {
            "structure": body.structure,
            "professional": body.professional,
            "item": total.item,
            "start": span.start.isoformat(),
            "end": span.end.isoformat(),
            "numerator": total.numerator,
            "denominator": total.denominator,
        }
        events.append(activity_event(TOTALS_DECLARED, space.name, data, now))
    await declaring.tell(session, events)
    return {"declared": len(events)}


@router.get("/totals")
async def read_totals(
    space: CallerSpace,
    session: ReadSession,
    structure: Annotated[str | None, Query(pattern=FINESS)] = None,
    professional: Annotated[str | None, Query(pattern=r"^[0-9A-Z]{9,12}$")] = None,
    start: Annotated[date | None, Query(alias="from")] = None,
    end: Annotated[date | None, Query(alias="to")] = None,
) -> list[dict[str, Any]]:
    """Declared and, of what is counted here, observed, with the gap between them (observed less
    declared)."""
    of = _beneficiary(structure, professional)
    period = _period(start, end)
    found = await list_totals(session, space.name, of, period)
    return [
        {
            "item": row.item,
            "from": row.span.start,
            "to": row.span.end,
            "declared": {"numerator": row.numerator, "denominator": row.denominator},
            **await _observed(session, space.name, of, row),
        }
        for row in found
    ]


async def _observed(
    session: ReadSession, space: str, of: Beneficiary, told: Total
) -> dict[str, Any]:
    period = Period(told.span.start, told.span.end)
    if _is_kind(told.item):
        kind, _, domain = told.item.partition("/")
        measure = Acts.model_validate({"count": "acts", "activity": kind, "domain": domain or None})
        observed = {"denominator": await count(session, space, measure, of, period)}
    else:
        figures = await _figures(session, space, of, told.item, period)
        if figures is None:
            return {}
        observed = {
            side: number
            for side, number in (
                ("numerator", figures.numerator), ("denominator", figures.denominator),
            )
            if number is not None
        }  # fmt: skip
    said = {"numerator": told.numerator, "denominator": told.denominator}
    gap = {
        side: None if (declared := said[side]) is None else number - declared
        for side, number in observed.items()
    }
    return {"observed": observed, "gap": gap}


async def _figures(
    session: ReadSession, space: str, of: Beneficiary, code: str, period: Period
) -> IndicatorFigures | None:
    """By the rules in force of the programme that has the indicator, and the span in one of its windows;
    None where these count nothing."""
    for file in (await in_force(session, space)).values():
        rules = file.book.programme
        rule = rules.indicators.get(code)
        span = Span(period.start, period.end)
        if rule is not None and any(_holds(it.period, span) for it in rules.windows.values()):
            return await figures_of(session, space, rules, rule, of, period)
    return None


class ListedIn(Strict):
    patient: PatientIn
    since: Day
    until: Day | None = None
    """The first day on which the patient is no longer on the list."""


class ListIn(Strict):
    professional: Professional
    list: Literal["ald", "patientele"]
    patients: Annotated[tuple[ListedIn, ...], Field(min_length=1, max_length=10_000)]


@router.post("/lists", status_code=201)
async def declare_list(
    request: Request, body: ListIn, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> dict[str, int]:
    """Puts patients on a doctor's list, or says until when they were; no INS is kept."""
    kernel = kernel_of(request)
    problems: list[Problem] = []
    events = []
    now = space.now()
    for position, it in enumerate(body.patients):
        path = f"/body/patients/{position}"
        patient = pseudonym_of(kernel, space.name, it.patient, path, problems)
        if it.until is not None and it.until < it.since:
            problems.append(
                Problem("LIST-DAYS", f"{path}/until", "before since", "a day from since on")
            )
        data = {
            "list": body.list,
            "structure": None,
            "professional": body.professional,
            "patient": patient,
            "since": it.since.isoformat(),
            "until": it.until and it.until.isoformat(),
        }
        events.append(activity_event(PATIENT_LISTED, space.name, data, now))
    refuse_if_any(problems)
    await declaring.tell(session, events)
    return {"listed": len(events)}


@router.get("/lists")
async def read_lists(
    space: CallerSpace,
    session: ReadSession,
    professional: Annotated[str, Query(pattern=r"^[0-9A-Z]{9,12}$")],
    on: date | None = None,
) -> dict[str, Any]:
    """How many patients are on each list; who they are is nobody's business here."""
    of = _beneficiary(None, professional)
    period = _day(on or space.now().date())
    sizes = {
        name: await count(
            session,
            space.name,
            Patients.model_validate({"count": "patients", "list": name}),
            of,
            period,
        )
        for name in ("ald", "patientele")
    }
    return {"professional": professional, "on": period.start, "patients": sizes}


@router.get("/combined-2019")
async def read_combined_activity(
    space: CallerSpace, session: ReadSession, structure: Annotated[str, Query(pattern=FINESS)]
) -> dict[str, int | None]:
    """The activity of 2019 that SUN-ES shares its budget by, as it was declared, by domain."""
    of = _beneficiary(structure, None)
    domains = ("discharge", *DOMAINS)
    return {
        domain: (
            await declared(session, space.name, f"{COMBINED}{domain}", of, BASE_YEAR)
        ).denominator
        for domain in domains
    }


async def _items(
    session: AsyncSession, space: str, of_structure: bool
) -> dict[str, Sequence[Period] | None]:
    """Indicators that the rules in force count, domains that they share a budget among, and kinds of
    acts; a programme of the whole space reads every owner's."""
    whose = ("structure" if of_structure else "professional", "space")
    files = (await in_force(session, space)).values()
    programmes = [it.book.programme for it in files if it.book.programme.beneficiary in whose]
    found: dict[str, list[Period]] = {}
    for rules in programmes:
        for code, rule in rules.indicators.items():
            if rule.kind in ("rate", "count"):
                found.setdefault(code, []).extend(it.period for it in rules.windows.values())
    shared = dict.fromkeys(
        f"{COMBINED}{name}"
        for rules in programmes
        for name, group in rules.groups.items()
        if group.budget is not None
    )
    return {**found, **dict.fromkeys(_kinds()), **shared}


def _kinds() -> list[str]:
    with_domain = [f"{WITH_DOMAIN}/{domain}" for domain in DOMAINS]
    return [*(kind for kind in KINDS if kind != WITH_DOMAIN), *with_domain]


def _is_kind(item: str) -> bool:
    return item in _kinds()


def _owner_problems(structure: str | None, professional: str | None) -> list[Problem]:
    if (structure is None) != (professional is None):
        return []
    return [
        Problem(
            "TOTAL-OWNER", "/body/structure", "nobody's totals, or two owners'",
            "a structure or a professional",
        )
    ]  # fmt: skip


def _beneficiary(structure: str | None, professional: str | None) -> Beneficiary:
    if structure is not None and professional is None:
        return Beneficiary("structure", structure)
    if professional is not None and structure is None:
        return Beneficiary("professional", professional)
    raise DomainError(Category.INCORRECT, "owner", "Give a structure or a professional.")


def _period(start: date | None, end: date | None) -> Period | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise DomainError(Category.INCORRECT, "period", "Give both from and to, or neither.")
    try:
        return Period(start, end)
    except ValueError as error:
        raise DomainError(Category.INCORRECT, "period", f"Not a period: {error}.") from error


def _day(day: date) -> Period:
    try:
        return Period(day, date.fromordinal(day.toordinal() + 1))
    except ValueError as error:
        raise DomainError(Category.INCORRECT, "period", f"Not a day: {error}.") from error
