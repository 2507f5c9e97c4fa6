"""SQL of `_sort`: a page begins after the values that the last one ended with, so that none repeats or
skips an entry.

Where few entries match, their values are looked up and sorted. Where many do, the index of texts is
walked in the order that is asked for, and whoever has no such value comes at the end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.annuaire.conditions import Conditions
from services.mss.annuaire.domain.results import Sort

MISSING: Final = {False: "\U0010ffff", True: ""}
"""What an entry without the value is sorted as, ascending and descending: it comes last."""

Place = tuple[tuple[str, ...], str]
"""The values that an entry is sorted by, and its id."""


class NoSuchPlaceError(Exception):
    """The page token is of another order."""


async def find_places(
    session: AsyncSession,
    conditions: Conditions,
    sorts: Sequence[Sort],
    after: Sequence[str] | None,
    limit: int,
    *,
    many: bool,
) -> list[Place]:
    """The next entries in order. Raises NoSuchPlaceError."""
    if after is not None and len(after) != len(sorts) + 1:
        raise NoSuchPlaceError
    first = sorts[0]
    if not many or first.parameter in ("_id", "_lastUpdated"):
        return await _looked_up(session, conditions, sorts, after, limit)
    found: list[Place] = []
    if after is None or after[0] != MISSING[first.descending]:
        found = await _walked(session, conditions, sorts, after, limit)
        after = None
    if len(found) < limit:
        found += await _looked_up(
            session, conditions, sorts, after, limit - len(found), without_first=True
        )
    return found


async def _looked_up(
    session: AsyncSession,
    conditions: Conditions,
    sorts: Sequence[Sort],
    after: Sequence[str] | None,
    limit: int,
    *,
    without_first: bool = False,
) -> list[Place]:
    values = dict(conditions.values)
    keys = [_key(one, values, number) for number, one in enumerate(sorts)]
    where = conditions.where
    if without_first:
        keys[0] = f"CAST('{MISSING[sorts[0].descending]}' AS text) COLLATE \"C\""
        where += f" AND NOT EXISTS (SELECT FROM mss.annuaire_text t WHERE {_of_entry('t', 's0')})"
    source = f"mss.annuaire_entry e WHERE {where}"
    return await _page(session, source, keys, sorts, after, limit, values)


async def _walked(
    session: AsyncSession,
    conditions: Conditions,
    sorts: Sequence[Sort],
    after: Sequence[str] | None,
    limit: int,
) -> list[Place]:
    values = dict(conditions.values)
    keys = [_key(one, values, number) for number, one in enumerate(sorts)]
    keys[0] = "f.folded"
    earlier = ">" if sorts[0].descending else "<"
    bound = ""
    if after is not None:
        values["from"] = after[0]
        bound = f" AND f.folded {'<=' if sorts[0].descending else '>='} :from"
    source = (
        "mss.annuaire_text f JOIN mss.annuaire_entry e"
        " ON e.space = f.space AND e.kind = f.kind AND e.id = f.entry"
        f" WHERE f.space = :space AND f.kind = :kind AND f.name = :s0{bound}"
        f" AND NOT EXISTS (SELECT FROM mss.annuaire_text t WHERE {_of_entry('t', 's0')}"
        f" AND (t.folded, t.value) {earlier} (f.folded, f.value)) AND {conditions.where}"
    )
    return await _page(session, source, keys, sorts, after, limit, values)


async def _page(
    session: AsyncSession,
    source: str,
    keys: Sequence[str],
    sorts: Sequence[Sort],
    after: Sequence[str] | None,
    limit: int,
    values: dict[str, Any],
) -> list[Place]:
    columns = [*keys, "e.id"]
    directions = [*(one.descending for one in sorts), False]
    if after is not None:
        source += f" AND {_beyond(columns, directions, _typed(sorts, after), values)}"
    order = ", ".join(
        f"{column}{' DESC' if down else ''}"
        for column, down in zip(columns, directions, strict=True)
    )
    named = ", ".join(f"{column} AS k{number}" for number, column in enumerate(columns))
    rows = await session.execute(
        text(f"SELECT {named} FROM {source} ORDER BY {order} LIMIT :limit"),
        {**values, "limit": limit},
    )
    return [(tuple(map(_told, row[:-1])), row[-1]) for row in rows]


def _key(sort: Sort, values: dict[str, Any], number: int) -> str:
    if sort.parameter == "_id":
        return "e.id"
    if sort.parameter == "_lastUpdated":
        return "e.updated_at"
    values[f"s{number}"] = sort.parameter
    least = "max" if sort.descending else "min"
    return (
        f"coalesce((SELECT {least}(t.folded) FROM mss.annuaire_text t"
        f" WHERE {_of_entry('t', f's{number}')}), '{MISSING[sort.descending]}') COLLATE \"C\""
    )


def _of_entry(table: str, name: str) -> str:
    return (
        f"{table}.space = :space AND {table}.kind = :kind AND {table}.entry = e.id"
        f" AND {table}.name = :{name}"
    )


def _beyond(
    columns: Sequence[str], directions: Sequence[bool], after: Sequence[Any], values: dict[str, Any]
) -> str:
    """Row comparison where each column has its direction."""
    ways, equal = [], ""
    for number, (column, down) in enumerate(zip(columns, directions, strict=True)):
        values[f"after{number}"] = after[number]
        ways.append(f"({equal}{column} {'<' if down else '>'} :after{number})")
        equal += f"{column} = :after{number} AND "
    return f"({' OR '.join(ways)})"


def _typed(sorts: Sequence[Sort], after: Sequence[str]) -> list[str | datetime]:
    typed: list[str | datetime] = list(after)
    for number, sort in enumerate(sorts):
        if sort.parameter == "_lastUpdated":
            try:
                typed[number] = datetime.fromisoformat(after[number])
            except ValueError:
                raise NoSuchPlaceError from None
    return typed


def _told(value: str | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else value
