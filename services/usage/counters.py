"""What is only counted by day, with what it was: refusals by rule, verifications by result."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.counting import subject_of
from services.usage.domain.measures import Beneficiary
from services.usage.domain.period import Period

REFUSED = "dmp.refused"
RULE = "rule:"


@dataclass(frozen=True, slots=True)
class Counter:
    """`of_which` holds the words that were told of it (`rule:…`, `door:…`, `result:…`), each with how
    often: one refusal breaks several rules, so that they add up to more than `count`."""

    kind: str
    count: int
    of_which: dict[str, int]

    @property
    def by_rule(self) -> dict[str, int]:
        """The most frequent first."""
        return {
            word.removeprefix(RULE): count
            for word, count in self.of_which.items()
            if word.startswith(RULE)
        }


# Without the types of documents, whatever was told; with them, what names one of them or names none.
_ROWS = """
    WITH told AS (
        SELECT kind, words, latest
        FROM usage.bucket, LATERAL string_to_array(traits, ' ') AS words
        WHERE space = :space AND measure = 'event' AND subject = :subject
          AND (CAST(:kind AS text) IS NULL OR kind = :kind)
          AND act_day >= :start AND act_day < :end
          AND (CAST(:types AS text[]) IS NULL OR words && CAST(:types AS text[])
               OR NOT EXISTS (SELECT FROM unnest(words) AS one WHERE one LIKE 'type:%'))
    )
    SELECT kind, '' AS word, sum(latest) AS total FROM told GROUP BY kind
    UNION ALL
    SELECT kind, word, sum(latest) FROM told, LATERAL unnest(words) AS word
    WHERE word <> '' GROUP BY kind, word
    ORDER BY kind, total DESC, word
"""


async def list_counters(
    session: AsyncSession,
    space: str,
    of: Beneficiary,
    period: Period,
    *,
    kind: str | None = None,
    types: Collection[str] | None = None,
) -> list[Counter]:
    """By kind (`dmp.refused`, `ins.verified`, `psc.opened` …), in the days of a period."""
    result = await session.execute(
        text(_ROWS),
        {
            "space": space,
            "subject": subject_of(of),
            "kind": kind,
            "start": period.start,
            "end": period.end,
            "types": None if types is None else [f"type:{code}" for code in sorted(types)],
        },
    )
    counts: dict[str, int] = {}
    words: dict[str, dict[str, int]] = {}
    for row in result:
        if row.word:
            words.setdefault(row.kind, {})[row.word] = int(row.total)
        else:
            counts[row.kind] = int(row.total)
    return [Counter(name, count, words.get(name, {})) for name, count in counts.items()]


async def refused_documents(
    session: AsyncSession,
    space: str,
    of: Beneficiary,
    period: Period,
    types: Collection[str] | None = None,
) -> Counter:
    """Documents that the DMP refused, by the day of the refusal; never part of a numerator."""
    found = await list_counters(session, space, of, period, kind=REFUSED, types=types)
    return found[0] if found else Counter(REFUSED, 0, {})
