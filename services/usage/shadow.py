"""The tables of a recount while they are filled: beside those that count, without indexes until the end.

All of it is one transaction. One that dies leaves nothing, and a server that nothing is replicated from
need not write to its journal what it would throw away in a crash.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Index, MetaData, PrimaryKeyConstraint, text
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint

from services.usage.changes import Changes
from services.usage.domain.contributions import Deltas
from services.usage.facts_repository import FactStore, copy
from services.usage.tables import COUNTED, attestation, bucket, declaration, listed, metadata
from socle.db.database import WriteSession

SHADOW = "usage_recount"
LAST_WORDS = {listed.name, declaration.name, attestation.name}
"""Of their rows a later one takes the place: they are few, and keep their keys."""
ROUGHLY = 20
"""For the first plans, of a fifth of the usual sample; the server itself looks closer a minute later."""
# Of one connection, for the time of a recount; the default is that of many small questions.
_MEMORY = {"work_mem": "64MB", "maintenance_work_mem": "256MB"}
_SUMS = f"{SHADOW}.{bucket.name}"


@dataclass(frozen=True, slots=True)
class FillingStore(FactStore):
    """Adds no change to its sum, but to those that are summed up at the end."""

    changes: Changes = field(kw_only=True)

    async def add(self, deltas: Deltas) -> None:
        await self.changes.add(deltas)


@dataclass
class Shadow:
    session: WriteSession
    changes: Changes = field(init=False)
    _keys: list[PrimaryKeyConstraint] = field(default_factory=list)
    _indexes: list[Index] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changes = Changes(self.session)

    @property
    def store(self) -> FillingStore:
        return FillingStore(self.session, SHADOW, changes=self.changes)

    async def make(self) -> None:
        shadow = MetaData(schema=SHADOW, naming_convention=metadata.naming_convention)
        tables = [table.to_metadata(shadow, schema=SHADOW) for table in COUNTED]
        for table in tables:
            self._indexes += table.indexes
            table.indexes.clear()
        await self._execute(f"DROP SCHEMA IF EXISTS {SHADOW} CASCADE")
        await self._execute(f"CREATE SCHEMA {SHADOW}")
        connection = await self.session.connection()
        await connection.run_sync(shadow.create_all)
        await self.changes.make(_SUMS)
        for table in tables:
            if table.name not in LAST_WORDS:
                self._keys.append(table.primary_key)
                await connection.execute(DropConstraint(table.primary_key))
        for name, size in _MEMORY.items():
            await self._execute(f"SET LOCAL {name} = '{size}'")
        await self._execute("CREATE TEMP TABLE recount_later (value bytea) ON COMMIT DROP")

    async def put_off(self, values: Iterable[bytes]) -> None:
        """Records that are counted when there are indexes to look up by."""
        await copy(self.session, "recount_later", ("value",), ((value,) for value in values))

    async def put_off_records(self, limit: int) -> AsyncIterator[list[bytes]]:
        connection = await (await self.session.connection()).get_raw_connection()
        assert connection.driver_connection is not None
        cursor = await connection.driver_connection.cursor("SELECT value FROM recount_later")
        while rows := await cursor.fetch(limit):
            yield [row["value"] for row in rows]

    async def index_facts(self) -> None:
        await self._index([key for key in self._keys if key.table.name != bucket.name])
        connection = await self.session.connection()
        for index in self._indexes:
            await connection.execute(CreateIndex(index))

    async def sum_up(self) -> None:
        await self.changes.sum_up(_SUMS)
        await self._index([key for key in self._keys if key.table.name == bucket.name])
        await self._execute(f"SET LOCAL default_statistics_target = {ROUGHLY}")
        for table in COUNTED:
            await self._execute(f"ANALYZE {SHADOW}.{table.name}")

    async def _index(self, keys: Iterable[PrimaryKeyConstraint]) -> None:
        connection = await self.session.connection()
        for key in keys:
            await connection.execute(AddConstraint(key))

    async def _execute(self, statement: str) -> None:
        await self.session.execute(text(statement))
