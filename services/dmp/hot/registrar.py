"""Takes entries into the registry, and says why one was left out."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import orjson
from fastapi import FastAPI

from services.dmp import record_repository, repository
from services.dmp.domain import refusals
from services.dmp.domain.entry import Entry, Key, Registered
from services.dmp.hot.relations import Related, lock_targets, relate
from services.dmp.hot.statement import REGISTER, arguments, register
from services.dmp.repository import KnownPatient
from services.dmp.settings import DmpSettings
from socle.batches import Batcher
from socle.db.database import Database
from socle.db.failures import is_database_away
from socle.errors import Category, DomainError
from socle.failpoints import failpoint
from socle.ins_client import InsClient
from socle.kernel import Kernel


class Registrar:
    def __init__(self, database: Database, ins: InsClient, settings: DmpSettings) -> None:
        self._database = database
        self.ins = ins
        self._implicit_records = settings.dmp_records == "implicit"
        self._batches = Batcher(
            self._commit,
            refusal="Too many documents are being stored; send this one again in a second.",
            max_items=settings.dmp_batch_size,
            max_bytes=settings.dmp_batch_bytes,
            max_flushes=settings.dmp_flushes,
            max_queue_bytes=settings.dmp_queue_bytes,
        )

    async def close(self) -> None:
        await self._batches.close()

    async def register(
        self, entries: Sequence[Entry], token: str, related: Related | None = None
    ) -> list[Registered]:
        """All entries of one submission, or a refusal. `token` is the caller's, to ask INS with."""
        for may_ask in (True, False):
            fresh = await self._write(entries, related)
            if len(fresh) == len(entries):
                return [_fresh(entry) for entry in entries]
            existing = await self._existing(entries)
            if existing is not None:
                return existing
            await self._refuse_taken_ids(entries)
            await self._refuse_by_record(entries[0])
            if not may_ask or not await self._learn_patient(entries[0], token):
                break
        known = await self._patient(entries[0])
        if known is not None and known.qualified:
            raise refusals.other_traits(_differing(entries, known))
        raise refusals.not_qualified(known.status if known else None)

    async def _write(self, entries: Sequence[Entry], related: Related | None) -> set[Key]:
        if len(entries) == 1 and related is None:
            is_new = await self._batches.join(entries[0])
            return {entries[0].key} if is_new else set()
        return await self._write_all_or_nothing(entries, related)

    async def _commit(self, entries: Sequence[Entry]) -> list[bool]:
        """Of each entry, whether it is new; False where the statement left it out."""
        with _transient_failures():
            rows = await self._database.fetch(REGISTER, *arguments(entries), self._implicit_records)
        fresh = {(row["space"], row["id"]) for row in rows}
        failpoint("dmp.committed")
        return [entry.key in fresh for entry in entries]

    async def _write_all_or_nothing(
        self, entries: Sequence[Entry], related: Related | None
    ) -> set[Key]:
        with _transient_failures():
            pool = await self._database.pool()
            async with pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    locked = (
                        await lock_targets(connection, entries[0].space, related) if related else {}
                    )
                    fresh = await register(
                        connection, entries, implicit_records=self._implicit_records
                    )
                    if related and len(fresh) == len(entries):
                        await relate(connection, entries, related, locked)
                except BaseException:
                    await transaction.rollback()
                    raise
                if len(fresh) == len(entries):
                    await transaction.commit()
                    return fresh
                await transaction.rollback()
                return set()

    async def _existing(self, entries: Sequence[Entry]) -> list[Registered] | None:
        """The earlier deposit of the same bytes; None when none of them is registered."""
        async with self._database.read() as session:
            known = await repository.find_registered(
                session, entries[0].space, [entry.unique_id for entry in entries]
            )
        for entry in entries:
            row = known.get(entry.unique_id)
            if row is not None and row.sha256 != entry.sha256:
                raise refusals.same_identifier_other_bytes(entry.unique_id)
        if not known:
            return None
        if len(known) < len(entries):
            raise refusals.partly_registered()
        return [known[entry.unique_id].registered for entry in entries]

    async def _refuse_taken_ids(self, entries: Sequence[Entry]) -> None:
        async with self._database.read() as session:
            taken = await repository.find_named(
                session, entries[0].space, [entry.id for entry in entries], ()
            )
        if taken:
            raise refusals.identifier_taken(
                next(entry.unique_id for entry in entries if entry.id == taken[0].id)
            )

    async def _refuse_by_record(self, entry: Entry) -> None:
        async with self._database.read() as session:
            record = await record_repository.get_record(session, entry.space, entry.patient)
        if record is None and not self._implicit_records:
            raise refusals.no_record("absent")
        if record is not None and not record.is_open:
            raise refusals.no_record(record.status)
        if record is not None and record.opposes_feeding:
            raise refusals.feeding_opposed()

    async def _learn_patient(self, entry: Entry, token: str) -> bool:
        """Events tell who is qualified, but a deposit may overtake them: INS itself is asked."""
        answer = await self.ins.status(entry.space, entry.ins_oid, entry.matricule, token)
        if answer is None or not answer.qualified:
            return False
        async with self._database.write() as session:
            await repository.upsert_patient(
                session,
                entry.space,
                entry.patient,
                answer.status,
                True,
                entry.registered_at,
                answer.trait_fingerprints,
            )
        return True

    async def _patient(self, entry: Entry) -> KnownPatient | None:
        async with self._database.read() as session:
            return await repository.get_patient(session, entry.space, entry.patient)


def _differing(entries: Sequence[Entry], known: KnownPatient) -> list[str]:
    """The traits that INS has otherwise, of any document."""
    return sorted(
        {
            name
            for entry in entries
            for name, value in orjson.loads(entry.traits).items()
            if known.fingerprints.get(name) != value
        }
    )


def _fresh(entry: Entry) -> Registered:
    return Registered(entry.id, entry.submission_set, 1, entry.registered_at, is_new=True)


@contextmanager
def _transient_failures() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # A deadlock is resolved by refusing one side; like a lost database, it promises nothing.
        if not (is_database_away(error) or isinstance(error, asyncpg.DeadlockDetectedError)):
            raise
        raise DomainError(
            Category.UNAVAILABLE,
            "registry_unavailable",
            "The registry's database does not answer; nothing is known to be stored. "
            "Send the same submission again: it is registered once.",
            headers={"Retry-After": "2"},
        ) from error


@asynccontextmanager
async def registrar_of(kernel: Kernel, app: FastAPI) -> AsyncIterator[None]:
    """A resource of the service: reachable as `app.state.registrar`."""
    assert isinstance(kernel.settings, DmpSettings)
    async with InsClient(kernel.settings, kernel.settings.dmp_ins_timeout_seconds) as ins:
        app.state.registrar = Registrar(kernel.database, ins, kernel.settings)
        try:
            yield
        finally:
            await app.state.registrar.close()
