"""What a recount adds to the daily sums, kept until all of it is known and is summed up in one sort.

The texts of a sum's key are few and its days are many. So each set of texts gets a number, a change is five
integers, and it is those that are written and sorted: a third of the time that their texts take.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from services.usage.domain.contributions import Bucket, Deltas
from services.usage.domain.first_sight import MAX_KEY_BYTES
from services.usage.facts_repository import copy
from services.usage.tables import bucket
from socle.db.database import WriteSession

MAX_NAMES = 100_000
"""That are remembered: some 50 MB. Beyond them texts that come again get a second number, which costs
a row and is put right when all is summed up."""

_TEXTS = Bucket._fields[:6]
_CHANGE = ("name", "act_day", "known_day", "latest", "first")
_KEY = list(bucket.primary_key.columns.keys())
# The key of the sums has the days between its texts: those before them, and all of them.
_AHEAD, _WHOLE = _KEY[:4], [name for name in _KEY if name in _TEXTS]
Name = tuple[str, str, str, str, str, str]


@dataclass
class Changes:
    session: WriteSession
    _names: dict[Name, int] = field(default_factory=dict)
    _next: int = 0

    async def make(self, sums: str) -> None:
        """Temporary tables; `sums` is the table that all is summed up into, with its key."""
        integers = ", ".join(f'"{name}" integer NOT NULL' for name in _CHANGE)
        for statement in (
            f"CREATE TEMP TABLE recount_change ({integers}) ON COMMIT DROP",
            "CREATE TEMP TABLE recount_name ON COMMIT DROP"
            f" AS SELECT 0 AS name, {quoted(_TEXTS)} FROM {sums} WITH NO DATA",
            f"CREATE TEMP TABLE recount_proof (LIKE {sums} INCLUDING INDEXES) ON COMMIT DROP",
        ):
            await self._execute(statement)

    async def add(self, deltas: Deltas) -> None:
        """May be undone with a savepoint: a number without a change adds nothing."""
        rows, names = [], self._names
        for key, (latest, first) in deltas.items():
            name = key[:6]
            number = names.get(name)
            if number is None:
                if _may_be_refused(name):
                    await self._prove(key)
                number = names[name] = self._next
                self._next += 1
            rows.append((number, key[6].toordinal(), key[7].toordinal(), latest, first))
        await copy(self.session, "recount_change", _CHANGE, rows)

    async def _prove(self, key: Bucket) -> None:
        """That an index takes it, or else that it raises now what it would when all is summed up."""
        await self.session.execute(
            text(
                f'INSERT INTO recount_proof ({quoted(Bucket._fields)}, latest, "first")'
                f" VALUES ({', '.join(f':{name}' for name in Bucket._fields)}, 0, 0)"
                " ON CONFLICT DO NOTHING"
            ),
            dict(zip(Bucket._fields, key, strict=True)),
        )

    async def bound(self) -> None:
        """To be called where nothing can be undone but everything."""
        if len(self._names) > MAX_NAMES:
            await self._tell_names()

    async def _tell_names(self) -> None:
        rows = ((number, *name) for name, number in self._names.items())
        await copy(self.session, "recount_name", ("name", *_TEXTS), rows)
        self._names.clear()

    async def sum_up(self, sums: str) -> None:
        """Into an empty table, in the order of its key, so that its index is built in one go."""
        await self._tell_names()
        for statement in (
            "CREATE TEMP TABLE recount_ranked ON COMMIT DROP AS SELECT *,"
            f" CAST(dense_rank() OVER (ORDER BY {quoted(_AHEAD)}) AS integer) AS ahead,"
            f" CAST(dense_rank() OVER (ORDER BY {quoted(_WHOLE)}) AS integer) AS whole"
            " FROM recount_name",
            "ANALYZE recount_ranked",
            "SET LOCAL enable_hashagg = off",
            f'INSERT INTO {sums} ({quoted(_TEXTS)}, act_day, known_day, latest, "first")'
            f' SELECT {quoted(_TEXTS)}, {_day("act_day")}, {_day("known_day")}, latest, "first"'
            " FROM (SELECT ahead, act_day, known_day, whole,"
            ' sum(latest) AS latest, sum("first") AS "first"'
            " FROM recount_change JOIN recount_ranked USING (name)"
            " GROUP BY ahead, act_day, known_day, whole"
            ' HAVING sum(latest) <> 0 OR sum("first") <> 0) AS summed'
            " JOIN (SELECT DISTINCT ON (whole) * FROM recount_ranked) AS texts USING (whole)",
        ):
            await self._execute(statement)

    async def _execute(self, statement: str) -> None:
        await self.session.execute(text(statement))


def quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _may_be_refused(name: Name) -> bool:
    joined = "".join(name)
    return "\0" in joined or len(joined.encode()) > MAX_KEY_BYTES


def _day(column: str) -> str:
    """Of its number, as Python counts them, from the first one of the calendar."""
    return f"CAST('0001-01-01' AS date) + ({column} - 1)"
