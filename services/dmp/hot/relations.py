"""How new documents relate to registered ones, in the transaction that registers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.dmp.domain import refusals
from services.dmp.domain.entry import Entry, Relation
from services.dmp.domain.folder import Filing, NewFolder
from services.dmp.events import TOPIC, document_replaced
from services.dmp.hot.folders import file_documents, succeed
from services.dmp.hot.statement import Connection

_LOCK = """
SELECT id, status, patient, logical_id, chain_id FROM dmp.document
WHERE space = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
"""
_RELATE = """
INSERT INTO dmp.association (space, id, kind, source, target, submission_set)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[])
"""
_DEPRECATE = """
UPDATE dmp.document SET status = 'Deprecated', status_changes = status_changes + 1
WHERE space = $1 AND id = ANY($2::uuid[])
"""
_TELL = f"INSERT INTO dmp.outbox (topic, key, value) SELECT '{TOPIC}', * FROM unnest($1::text[], $2::bytea[])"


@dataclass(frozen=True, slots=True)
class Related:
    """What relates the documents of one submission to registered ones, and to folders, all of one
    space."""

    relations: Sequence[Relation]
    traceparent: str
    at: datetime
    folders: Sequence[NewFolder] = ()
    filings: Sequence[Filing] = ()

    @property
    def targets(self) -> list[UUID]:
        return [relation.target for relation in self.relations]


Locked = dict[UUID, "asyncpg.Record"]


async def lock_targets(connection: Connection, space: str, related: Related) -> Locked:
    """Before anything is written: of two replacements at once, one waits and sees the other."""
    rows = await connection.fetch(_LOCK, space, related.targets)
    return {row["id"]: row for row in rows}


async def relate(
    connection: Connection, entries: Sequence[Entry], related: Related, locked: Locked
) -> None:
    """Refuses what is no longer current: only an approved document has successors (ITI TF-3 §4.2.2.2)."""
    problems = [
        refusals.unrelatable(relation.path, row["status"] if row is not None else None)
        for relation in related.relations
        for row in [locked.get(relation.target)]
        if row is None or row["status"] != "Approved"
    ]
    problems += await file_documents(
        connection, entries, related.folders, related.filings, related.at
    )
    if problems:
        raise refusals.not_related(problems)
    if related.relations:
        await _relate_documents(connection, entries, related, locked)


async def _relate_documents(
    connection: Connection, entries: Sequence[Entry], related: Related, locked: Locked
) -> None:
    space, sources = entries[0].space, {entry.id: entry for entry in entries}
    await connection.execute(
        _RELATE,
        space,
        [relation.id for relation in related.relations],
        [relation.kind for relation in related.relations],
        [relation.source for relation in related.relations],
        related.targets,
        [sources[relation.source].submission_set for relation in related.relations],
    )
    replaced = [relation for relation in related.relations if relation.deprecates]
    if not replaced:
        return
    await connection.execute(_DEPRECATE, space, [relation.target for relation in replaced])
    pairs = [
        (locked[relation.target]["logical_id"], sources[relation.source].logical_id)
        for relation in replaced
    ]
    await succeed(connection, space, pairs, related.at)
    events = [
        document_replaced(
            space,
            old["patient"],
            entry_id=old["id"],
            logical_id=old["logical_id"],
            chain_id=old["chain_id"],
            by_entry=sources[relation.source].id,
            by_logical=sources[relation.source].logical_id,
            at=related.at,
            traceparent=related.traceparent,
        )
        for relation in replaced
        for old in [locked[relation.target]]
    ]
    await connection.execute(
        _TELL, [event.subject for event in events], [event.value for event in events]
    )
