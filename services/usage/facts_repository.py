"""SQL of the facts and of their daily sums, in the service's schema or in that of a recount.

Statements take arrays: a batch of thousands costs as many round trips as one of one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import text

from services.usage.domain.contributions import Deltas
from services.usage.domain.facts import (
    RECEIVED,
    SENT,
    Act,
    ActKey,
    Chain,
    ChainKey,
    Facts,
    Known,
    Link,
    Occurrence,
    Version,
)
from services.usage.written import (
    ACT,
    ATTESTATION,
    BUCKET,
    CANCELLATION,
    DECLARATION,
    DOCUMENT,
    LINK,
    LISTED,
    OCCURRENCE,
    WITHDRAWAL,
    Written,
)
from socle.db.database import WriteSession

Pair = tuple[str, str]
Key = TypeVar("Key")
Value = TypeVar("Value")
COPY_FROM = 200
LIVE = "usage"
GATE = "usage.count"
"""The advisory lock that counting shares, and that a recount takes for itself at its end."""
_VERSION = (
    "space, CAST(chain_id AS text), CAST(logical_id AS text), event_id, unique_id, structure,"
    " professional, patient, type_code, level, qualified, act_at, registered_at"
)
_ACT = "space, kind, it.act_id, event_id, structure, professional, domain, patient, act_at, flags"


async def lock_spaces(session: WriteSession, spaces: Collection[str]) -> None:
    """One count at a time in a space, until the transaction ends; none while a recount takes its place.

    What a fact changes depends on the facts that are there, and an act and its document travel on
    different topics: two that are counted at once would each miss the other.
    """
    await session.execute(
        text(f"SELECT pg_advisory_xact_lock_shared(hashtextextended('{GATE}', 0))")
    )
    await session.execute(
        text(
            "SELECT count(pg_advisory_xact_lock(hashtextextended('usage.count:' || space, 0)))"
            " FROM (SELECT space FROM unnest(CAST(:spaces AS text[])) AS space ORDER BY 1) AS ordered"
        ),
        {"spaces": sorted(spaces)},
    )


@dataclass(frozen=True, slots=True)
class FactStore:
    session: WriteSession
    schema: str = LIVE

    async def look_up_by_index(self) -> None:
        """Until the transaction ends. A plan that was made while the tables were small would read them
        whole, and is kept while they grow."""
        await self.session.execute(text("SET LOCAL enable_seqscan = off"))

    async def load_chains(self, known: Known, keys: Collection[ChainKey]) -> None:
        for space, ids in _grouped(keys):
            for row in await self._rows(
                f"SELECT {_VERSION} FROM {self.schema}.document"
                " WHERE space = :space AND chain_id = ANY(CAST(:ids AS uuid[]))",
                space=space,
                ids=ids,
            ):
                version = Version(*row)
                chain = known.chains.setdefault((space, version.chain_id), Chain())
                chain.versions[version.logical_id] = version
            for row in await self._rows(
                f"SELECT CAST(chain_id AS text), withdrawn_at FROM {self.schema}.withdrawal"
                " WHERE space = :space AND chain_id = ANY(CAST(:ids AS uuid[]))",
                space=space,
                ids=ids,
            ):
                known.chains.setdefault((space, row[0]), Chain()).withdrawn_at = row[1]

    async def find_chains(self, references: Collection[Pair]) -> set[ChainKey]:
        """Those that have a version of one of these uniqueIds."""
        found: set[ChainKey] = set()
        for space, ids in _grouped(references):
            rows = await self._rows(
                f"SELECT DISTINCT CAST(chain_id AS text) FROM {self.schema}.document"
                " WHERE space = :space AND unique_id = ANY(CAST(:ids AS text[]))",
                space=space,
                ids=ids,
            )
            found |= {(space, row[0]) for row in rows}
        return found

    async def load_links(
        self, known: Known, *, references: Collection[Pair] = (), act_ids: Collection[Pair] = ()
    ) -> None:
        for column, wanted in (("reference", references), ("act_id", act_ids)):
            for space, ids in _grouped(wanted):
                rows = await self._rows(
                    f"SELECT space, reference, act_id FROM {self.schema}.link"
                    f" WHERE space = :space AND {column} = ANY(CAST(:ids AS text[]))",
                    space=space,
                    ids=ids,
                )
                known.links.update(Link(*row) for row in rows)

    async def load_acts(self, known: Known, act_ids: Collection[Pair]) -> None:
        """Those of these numbers, whosever they are."""
        for space, ids in _grouped(act_ids):
            await self._load_acts(
                known, "act_id = ANY(CAST(:ids AS text[]))", "", space=space, ids=ids
            )

    async def load_own_acts(self, known: Known, keys: Collection[ActKey]) -> None:
        """Those of these owners. Every structure counts from one: of a number alone there may be thousands,
        so each is looked up by itself (OFFSET 0 keeps the planner from another way)."""
        for space, pairs in _grouped((key.space, key) for key in keys):
            await self._load_acts(
                known,
                "act_id = w.act_id AND owner = w.owner OFFSET 0",
                "unnest(CAST(:ids AS text[]), CAST(:owners AS text[])) AS w (act_id, owner) CROSS JOIN",
                space=space,
                ids=[key.act_id for key in pairs],
                owners=[key.owner for key in pairs],
            )

    async def _load_acts(self, known: Known, condition: str, wanted: str, **values: Any) -> None:
        def found(columns: str, table: str) -> str:
            return (
                f"SELECT {columns} FROM {wanted} LATERAL (SELECT * FROM {self.schema}.{table}"
                f" WHERE space = :space AND {condition}) AS it"
            )

        for row in await self._rows(found(_ACT, "act"), **values):
            act = Act(*row)
            known.acts[act.key] = act
        columns = "space, kind, it.owner, it.act_id, cancelled_at"
        for row in await self._rows(found(columns, "cancellation"), **values):
            known.cancelled[ActKey(*row[:4])] = row[4]

    async def load_messages(self, known: Known, keys: Collection[Pair]) -> None:
        for space, ids in _grouped(keys):
            for row in await self._rows(
                f"SELECT space, kind, key, occurred_at FROM {self.schema}.occurrence WHERE space = :space"
                " AND kind = ANY(CAST(:kinds AS text[])) AND key = ANY(CAST(:ids AS text[]))",
                space=space,
                ids=ids,
                kinds=[SENT, RECEIVED],
            ):
                known.messages[space, row[2]] = Occurrence(*row)

    async def new_occurrences(self, occurrences: Iterable[Occurrence]) -> list[Occurrence]:
        """Those that are not there yet, each once."""
        by_key = {(it.space, it.kind, it.key): it for it in occurrences}
        for (space, kind), keys in _grouped((it[:2], it[2]) for it in by_key):
            for row in await self._rows(
                f"SELECT key FROM {self.schema}.occurrence"
                " WHERE space = :space AND kind = :kind AND key = ANY(CAST(:keys AS text[]))",
                space=space,
                kind=kind,
                keys=keys,
            ):
                del by_key[space, kind, row[0]]
        return list(by_key.values())

    async def store_first(self, facts: Facts) -> None:
        """All of them by COPY, into tables that hold none of their keys and may have no index yet."""
        acts = [(*it, it.owner) for it in facts.acts]
        withdrawals = list(_last(facts.withdrawals))
        cancelled = [(*it.key, it.at) for it in _last(facts.cancellations)]
        occurrences = [it[:4] for it in facts.occurrences]
        for table, fields, rows in (
            (DOCUMENT, tuple(DOCUMENT.columns), facts.versions),
            (WITHDRAWAL, tuple(WITHDRAWAL.columns), withdrawals),
            (ACT, (*Act._fields, "owner"), acts),
            (CANCELLATION, (*ActKey._fields, "cancelled_at"), cancelled),
            (LINK, Link._fields, facts.links),
            (OCCURRENCE, tuple(OCCURRENCE.columns), occurrences),
        ):
            if rows:
                await self.copy(table.name, fields, rows)
        await self._store_last_words(facts)

    async def store(self, facts: Facts, *, replaces: bool) -> None:
        """Those that Known.add has found to change something, and new occurrences. `replaces` says that
        some of the documents or acts are there already, with other words."""
        await self._write(DOCUMENT, zip(*facts.versions, strict=True), is_new=not replaces)
        await self._write(WITHDRAWAL, zip(*_last(facts.withdrawals), strict=True))
        acts = [(it.space, it.act_id, it.owner, it.kind, it.event_id, it.structure, it.professional,
                 it.domain, it.patient, it.act_at, it.flags) for it in facts.acts]  # fmt: skip
        await self._write(ACT, zip(*acts, strict=True), is_new=not replaces)
        cancelled = [(*it.key, it.at) for it in _last(facts.cancellations)]
        await self._write(CANCELLATION, zip(*cancelled, strict=True))
        await self._write(LINK, zip(*facts.links, strict=True), is_new=True)
        occurrences = [(it.space, it.kind, it.key, it.at) for it in facts.occurrences]
        await self._write(OCCURRENCE, zip(*occurrences, strict=True), is_new=True)
        await self._store_last_words(facts)

    async def _store_last_words(self, facts: Facts) -> None:
        await self._write(LISTED, zip(*_last_word(facts.listed, 4), strict=True))
        totals = _last_word(facts.totals, 4)
        await self._write(DECLARATION, zip(*totals, strict=True))
        await self._write(ATTESTATION, zip(*_last_word(facts.attestations, 5), strict=True))

    async def add(self, deltas: Deltas) -> None:
        """Into the daily sums, of which one row is one bucket."""
        rows = [(*bucket, *sums) for bucket, sums in deltas.items()]
        await self._write(BUCKET, zip(*rows, strict=True))

    async def _write(
        self, table: Written, columns: Iterable[tuple[Any, ...]], *, is_new: bool = False
    ) -> None:
        """Few rows by arrays, many by COPY: each element of an array costs the driver a microsecond."""
        values = list(columns)
        if not values:
            return
        if len(values[0]) < COPY_FROM:
            source = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in table.columns.items())
            await self.session.execute(
                text(table.upsert(self.schema, f"unnest({source})")),
                dict(zip(table.columns, map(list, values), strict=True)),
            )
        elif is_new:
            await self.copy(table.name, tuple(table.columns), zip(*values, strict=True))
        else:
            staging = f"staged_{table.name}"
            await self.session.execute(
                text(
                    f"CREATE TEMP TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS AS"
                    f" SELECT {table.names} FROM {self.schema}.{table.name} WITH NO DATA"
                )
            )
            await copy(self.session, staging, tuple(table.columns), zip(*values, strict=True))
            await self.session.execute(text(table.upsert(self.schema, staging)))
            await self.session.execute(text(f"TRUNCATE {staging}"))

    async def copy(
        self, name: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        await copy(self.session, name, columns, rows, self.schema)

    async def _rows(self, statement: str, **values: Any) -> Sequence[Any]:
        return (await self.session.execute(text(statement), values)).all()


async def copy(
    session: WriteSession,
    name: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    schema: str | None = None,
) -> None:
    """Into a table of the schema, or into a temporary one."""
    connection = await (await session.connection()).get_raw_connection()
    assert connection.driver_connection is not None
    await connection.driver_connection.copy_records_to_table(
        name, schema_name=schema, records=rows, columns=list(columns)
    )


def _grouped(pairs: Iterable[tuple[Key, Value]]) -> Iterable[tuple[Key, list[Value]]]:
    found: dict[Key, list[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found.items()


def _last(facts: Sequence[Any]) -> Iterable[Any]:
    """By key the last one, which Known.add found to be the earliest in time."""
    return {fact[:-1]: fact for fact in facts}.values()


def _last_word(facts: Sequence[Any], key_length: int) -> Iterable[Any]:
    """By key the one of the greatest event id."""
    ordered = sorted(facts, key=attrgetter("event_id"))
    return {fact[:key_length]: fact for fact in ordered}.values()
