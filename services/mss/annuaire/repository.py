"""SQL of the directory: pages of entries, what they include, their mailboxes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.annuaire.conditions import Conditions
from services.mss.annuaire.domain.entries import Json
from services.mss.annuaire.domain.telecom import Listed
from services.mss.annuaire.placement import of_entry

MAX_INCLUDED = 10_000
ASKED = 1000
"""How many entries are asked for texts or mailboxes so that a total can be told."""

COUNTED = 10_000
"""As far as a search is counted where nobody asked for an accurate total (guide v2, `_total`)."""

Place = tuple[str, str]
"""Kind and id of an entry."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it is held; its mailboxes are asked for separately."""

    kind: str
    id: str
    version: int
    updated_at: datetime
    national_id: str = field(repr=False)
    body: Json = field(repr=False)


_COLUMNS = "e.kind, e.id, e.version, e.updated_at, e.national_id, e.body::text AS body"


@asynccontextmanager
async def planned_for_values(session: AsyncSession) -> AsyncIterator[None]:
    """Has statements planned for what is asked, each time: how many entries have a token is known by
    the token. A plan for any token, which PostgreSQL makes after five, sorts half a directory."""
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    yield
    await session.execute(text("SET LOCAL plan_cache_mode = auto"))


async def find_page(
    session: AsyncSession, conditions: Conditions, after: str, limit: int
) -> list[Stored]:
    """In the order of the ids, which never changes: a page neither repeats nor skips an entry."""
    rows = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM mss.annuaire_entry e WHERE {conditions.where}"
            " AND e.id > :after ORDER BY e.id LIMIT :limit"
        ),
        {**conditions.values, "after": after, "limit": limit},
    )
    return [_stored(row) for row in rows]


async def is_large(session: AsyncSession, conditions: Conditions) -> bool:
    """Whether many entries would have to be asked what is costly."""
    found = await session.execute(
        text(
            "SELECT count(*) FROM (SELECT FROM mss.annuaire_entry e"
            f" WHERE {conditions.cheap} LIMIT {ASKED + 1}) found"
        ),
        conditions.values,
    )
    return bool(found.scalar_one() > ASKED)


async def count(session: AsyncSession, conditions: Conditions, limit: int | None) -> int:
    bound = "" if limit is None else f" LIMIT {limit + 1}"
    found = await session.execute(
        text(
            "SELECT count(*) FROM"
            f" (SELECT FROM mss.annuaire_entry e WHERE {conditions.where}{bound}) found"
        ),
        conditions.values,
    )
    total: int = found.scalar_one()
    return total


async def find(session: AsyncSession, space: str, kind: str, id_: str) -> Stored | None:
    rows = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM mss.annuaire_entry e"
            " WHERE e.space = :space AND e.kind = :kind AND e.id = :id"
        ),
        {"space": space, "kind": kind, "id": id_},
    )
    row = rows.one_or_none()
    return None if row is None else _stored(row)


async def find_all(session: AsyncSession, space: str, places: Sequence[Place]) -> list[Stored]:
    rows = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) w(kind, id)"
            " JOIN mss.annuaire_entry e ON e.space = :space AND e.kind = w.kind AND e.id = w.id"
            " ORDER BY e.kind, e.id"
        ),
        {"space": space, "kinds": [kind for kind, _ in places], "ids": [id_ for _, id_ in places]},
    )
    return [_stored(row) for row in rows]


async def find_by_tokens(
    session: AsyncSession, space: str, kind: str, keys: Sequence[int]
) -> list[Stored]:
    rows = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM mss.annuaire_entry e"
            " WHERE e.space = :space AND e.kind = :kind AND e.tokens && CAST(:keys AS bigint[])"
            " ORDER BY e.id LIMIT :limit"
        ),
        {"space": space, "kind": kind, "keys": list(keys), "limit": MAX_INCLUDED},
    )
    return [_stored(row) for row in rows]


async def mailboxes_of(
    session: AsyncSession, space: str, entries: Sequence[Stored]
) -> dict[Place, list[Listed]]:
    """Of each entry that has any, red-listed ones included."""
    if not entries:
        return {}
    rows = await session.execute(
        text(
            "SELECT e.kind AS place_kind, e.id AS entry, t.address, t.type, t.label,"
            " t.description, t.service, t.responsible, t.red_listed, t.rank"
            " FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]),"
            " CAST(:national_ids AS text[]), CAST(:actives AS boolean[]))"
            f" e(kind, id, national_id, active) CROSS JOIN LATERAL ({of_entry()}) t"
        ),
        {
            "space": space,
            "kinds": [one.kind for one in entries],
            "ids": [one.id for one in entries],
            "national_ids": [one.national_id for one in entries],
            "actives": [one.body.get("active") is not False for one in entries],
        },
    )
    found: dict[Place, list[Listed]] = {}
    for row in rows:
        found.setdefault((row.place_kind, row.entry), []).append(
            Listed(
                row.address, row.type, row.label, row.description, row.service, row.responsible,
                red_listed=row.red_listed, rank=row.rank,
            )
        )  # fmt: skip
    return found


def _stored(row: "Row[tuple[object, ...]]") -> Stored:
    return Stored(
        row.kind, row.id, row.version, row.updated_at, row.national_id, orjson.loads(row.body)
    )
