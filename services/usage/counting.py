"""Answers what a rule counts, for any period, from the daily sums.

A period closes at its end plus `grace_days`: what was known by then counts, whatever comes later
(spec: usage.md §14). `late_delete: kept` asks for the restated figure, of all that is known now.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.domain.contributions import EVERYBODY
from services.usage.domain.measures import (
    Acts,
    ActsWith,
    Beneficiary,
    CountingPolicy,
    Documents,
    Measure,
    Patients,
    PatientsWithDocument,
)
from services.usage.domain.period import Period, paris_midnight
from socle.ids.professionals import RPPS_LENGTH, idnat_of_rpps

LEVELS = ("N1", "N3")
STATUSES = ("qualified", "other")


def national_id(number: str) -> str:
    """An RPPS with its type digit; a national identifier (PS_IdNat) as it is."""
    return idnat_of_rpps(number) if len(number) == RPPS_LENGTH else number


def subject_of(of: Beneficiary) -> str:
    if of.kind == "space":
        return EVERYBODY
    return of.number if of.kind == "structure" else f"ps:{national_id(of.number)}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Buckets of a measure: with all of some traits, with one at least of others, without some."""

    measure: str
    kinds: Collection[str] | None = None
    domain: str | None = None
    all_of: Collection[str] = ()
    any_of: Collection[str] | None = None
    none_of: Collection[str] = ()


async def count(
    session: AsyncSession,
    space: str,
    measure: Measure,
    of: Beneficiary,
    period: Period,
    policy: CountingPolicy | None = None,
) -> int:
    """How many, by the date of the act, of what was known when the period closed."""
    policy = policy or CountingPolicy()
    match measure:
        case Patients() | PatientsWithDocument():
            return await _count_patients(session, space, measure, of, period, policy)
        case Documents():
            asked = _documents(measure)
        case Acts():
            none_of = [measure.without] if measure.without else []
            asked = [_Asked("act", [measure.activity], measure.domain, none_of=none_of)]
        case ActsWith():
            words = _words_of(measure, policy)
            asked = [_Asked("act", [measure.activity], measure.domain, any_of=words)]
    return sum([await _sum(session, space, subject_of(of), it, period, policy) for it in asked])


def _documents(measure: Documents) -> list[_Asked]:
    kinds = None if measure.types == "any" else measure.types
    linked = [f"of:{measure.linked_to}"] if measure.linked_to else []
    qualified = ["qualified"] if measure.ins == "qualified" else []
    single = _Asked(
        "document",
        kinds,
        all_of=[*qualified, *linked],
        any_of=None if measure.levels == frozenset(LEVELS) else measure.levels,
        none_of=["act"] if measure.unit == "act" else [],
    )
    if measure.unit == "document":
        return [single]
    statuses = STATUSES[:1] if measure.ins == "qualified" else STATUSES
    words = _document_words(kinds, measure.levels, statuses)
    return [single, _Asked("group", any_of=words, all_of=linked)]


def _words_of(measure: ActsWith, policy: CountingPolicy) -> list[str]:
    match measure.what:
        case "document":
            kinds = None if measure.types == "any" else measure.types
            return _document_words(kinds, LEVELS, STATUSES)
        case "message_to_patient":
            either = policy.direction == "either"
            return ["message:sent", *(["message:received"] if either else [])]
        case _:
            return [measure.what]


def _document_words(
    kinds: Collection[str] | None, levels: Collection[str], statuses: Collection[str]
) -> list[str]:
    return [
        f"{kind}/{level}/{status}"
        for kind in kinds or ("*",)
        for level in levels
        for status in statuses
    ]


def _closes_on(period: Period, policy: CountingPolicy) -> date | None:
    if policy.late_delete == "kept":
        return None
    return period.end + timedelta(days=policy.grace_days)


async def _sum(
    session: AsyncSession,
    space: str,
    subject: str,
    asked: _Asked,
    period: Period,
    policy: CountingPolicy,
) -> int:
    result = await session.execute(
        text(
            f'SELECT coalesce(sum("{policy.version}"), 0) FROM usage.bucket,'
            " LATERAL string_to_array(traits, ' ') AS words"
            " WHERE space = :space AND measure = :measure AND subject = :subject"
            " AND act_day >= :start AND act_day < :end"
            " AND (CAST(:closes AS date) IS NULL OR known_day < :closes)"
            " AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY(:kinds))"
            " AND (CAST(:domain AS text) IS NULL OR domain = :domain)"
            " AND words @> CAST(:all_of AS text[])"
            " AND (CAST(:any_of AS text[]) IS NULL OR words && :any_of)"
            " AND NOT words && CAST(:none_of AS text[])"
        ),
        {
            "space": space,
            "measure": asked.measure,
            "subject": subject,
            "start": period.start,
            "end": period.end,
            "closes": _closes_on(period, policy),
            "kinds": None if asked.kinds is None else sorted(asked.kinds),
            "domain": asked.domain,
            "all_of": list(asked.all_of),
            "any_of": None if asked.any_of is None else sorted(asked.any_of),
            "none_of": list(asked.none_of),
        },
    )
    total: int = result.scalar_one()
    return total


# A live document of the doctor's for the patient, by the version that decides; read by an index, once
# for each patient of the list.
_WITH_DOCUMENT = """
    AND EXISTS (
        SELECT FROM usage.document AS d
        LEFT JOIN usage.withdrawal AS w ON w.space = d.space AND w.chain_id = d.chain_id
        WHERE d.space = listed.space AND d.professional = listed.professional
          AND d.patient = listed.patient AND d.professional <> ''
          AND d.type_code = ANY(CAST(:types AS text[])) AND d.level = ANY(CAST(:levels AS text[]))
          AND (CAST(:closes AS timestamptz) IS NULL OR d.registered_at < :closes)
          AND (w.withdrawn_at IS NULL OR (d.registered_at < w.withdrawn_at AND w.withdrawn_at >= :closes))
          AND NOT EXISTS (
              SELECT FROM usage.document AS o
              WHERE o.space = d.space AND o.chain_id = d.chain_id
                AND (CAST(:closes AS timestamptz) IS NULL OR o.registered_at < :closes)
                AND CASE WHEN :latest
                    THEN (o.registered_at, o.logical_id) > (d.registered_at, d.logical_id)
                    ELSE (o.registered_at, o.logical_id) < (d.registered_at, d.logical_id) END
          )
    )
"""


async def _count_patients(
    session: AsyncSession,
    space: str,
    measure: Patients | PatientsWithDocument,
    of: Beneficiary,
    period: Period,
    policy: CountingPolicy,
) -> int:
    """Who was on the list when the period ended; documents may be of any time before that."""
    values: dict[str, Any] = {
        "space": space,
        "list": measure.list,
        "professional": national_id(of.number) if of.kind == "professional" else None,
        "end": period.end,
    }
    condition = ""
    if isinstance(measure, PatientsWithDocument):
        condition = _WITH_DOCUMENT
        closes = _closes_on(period, policy)
        values |= {
            "types": sorted(measure.types),
            "levels": ["N3"] if measure.structured else list(LEVELS),
            "closes": paris_midnight(closes) if closes else None,
            "latest": policy.version == "latest",
        }
    result = await session.execute(
        text(
            "SELECT count(*) FROM usage.listed WHERE space = :space AND list = :list"
            " AND (CAST(:professional AS text) IS NULL OR professional = :professional)"
            " AND since < :end AND (until IS NULL OR until >= :end)" + condition
        ),
        values,
    )
    total: int = result.scalar_one()
    return total


@dataclass(frozen=True, slots=True)
class DeclaredTotals:
    """None where nothing was declared for the period."""

    numerator: int | None
    denominator: int | None
    months: int
    """Declarations that were added up."""


async def declared(
    session: AsyncSession, space: str, item: str, of: Beneficiary, period: Period
) -> DeclaredTotals:
    """Totals as they were told, of the months that lie whole in the period; that of a year stands for
    its months, which are not added to it.

    `item` is an indicator's code (`SU4`), a kind of act (`report.validated/biology`,
    `consultation.done`), or `combined_activity/<domain>` over the year 2019.
    """
    result = await session.execute(
        text(
            "SELECT sum(numerator) AS numerator, sum(denominator) AS denominator, count(*) AS months"
            " FROM usage.declaration AS d WHERE space = :space AND item = :item"
            " AND (CAST(:owner AS text) IS NULL OR owner = :owner)"
            ' AND start >= :start AND "end" <= :end'
            " AND NOT EXISTS (SELECT FROM usage.declaration AS y WHERE y.space = d.space"
            " AND y.owner = d.owner AND y.item = d.item AND y.start >= :start"
            ' AND y.start < d.start AND y."end" >= d."end" AND y."end" <= :end)'
        ),
        {
            "space": space,
            "item": item,
            "owner": None if of.kind == "space" else subject_of(of),
            "start": period.start,
            "end": period.end,
        },
    )
    row = result.one()
    return DeclaredTotals(
        None if row.numerator is None else int(row.numerator),
        None if row.denominator is None else int(row.denominator),
        row.months,
    )


async def counters(
    session: AsyncSession, space: str, of: Beneficiary, period: Period
) -> dict[str, int]:
    """What is only counted by day, by its name: `dmp.refused`, `psc.opened`, `mss.delivered` …"""
    result = await session.execute(
        text(
            "SELECT kind, sum(latest) AS total FROM usage.bucket"
            " WHERE space = :space AND measure = 'event' AND subject = :subject"
            " AND act_day >= :start AND act_day < :end GROUP BY kind ORDER BY kind"
        ),
        {"space": space, "subject": subject_of(of), "start": period.start, "end": period.end},
    )
    return {row.kind: int(row.total) for row in result}


@dataclass(frozen=True, slots=True)
class Attested:
    kind: str
    form: str
    structure: str
    since: date
    until: date | None
    evidence: str


async def attestations(
    session: AsyncSession, space: str, professional: str, on: date | None = None
) -> Sequence[Attested]:
    """What a professional attests to: all of it, or what is in force on a day; `until` is the last."""
    result = await session.execute(
        text(
            "SELECT kind, form, structure, since, until, evidence FROM usage.attestation"
            " WHERE space = :space AND professional = :professional"
            " AND (CAST(:day AS date) IS NULL"
            " OR (since <= :day AND (until IS NULL OR until >= :day)))"
            " ORDER BY kind, since, form"
        ),
        {"space": space, "professional": national_id(professional), "day": on},
    )
    return [Attested(**row) for row in result.mappings()]
