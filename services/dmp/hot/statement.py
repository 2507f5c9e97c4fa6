"""The one statement that registers a batch of documents, and its arguments.

Everything that a deposit makes true is one statement, hence one transaction and one round trip:
the body, the submission set, the entry and the event. A row is left out, without an error, when
its patient is not known as qualified or by other traits, when the record is closed or its patient opposes, or when one of
its identifiers is taken; the caller sees which came back and finds out why the others did not.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from services.dmp.domain.entry import Entry, Key
from services.dmp.events import TOPIC
from socle.events.outbox import channel_of

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

REGISTER = f"""
WITH input AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::timestamptz[], $10::timestamptz[], $11::bytea[], $12::bytea[],
        $13::uuid[], $14::bool[], $15::text[], $16::text[], $17::text[], $18::text[], $19::bytea[],
        $20::text[]
    ) AS row(
        id, logical_id, submission_set, space, unique_id, patient, type_code, class_code,
        created_at, registered_at, sha256, content, chain_id, masked, owners, metadata,
        set_metadata, submitter, event, traits
    )
), accepted AS (
    SELECT input.* FROM input
    JOIN dmp.patient AS p
      ON p.space = input.space AND p.pseudonym = input.patient AND p.qualified
     AND (p.fingerprints = '{{}}' OR p.fingerprints @> input.traits::jsonb)
    WHERE NOT EXISTS (
        SELECT 1 FROM dmp.record AS r
        WHERE r.space = input.space AND r.patient = input.patient
          AND (r.status <> 'active' OR r.opposes_feeding)
    ) AND ($21 OR EXISTS (
        SELECT 1 FROM dmp.record AS r WHERE r.space = input.space AND r.patient = input.patient
    ))
), inserted AS (
    INSERT INTO dmp.document (
        id, logical_id, chain_id, version, space, submission_set, unique_id, status, patient, type_code,
        class_code, created_at, registered_at, sha256, size, masked, owners, metadata
    )
    SELECT id, logical_id, chain_id, 1, space, submission_set, unique_id, 'Approved', patient, type_code,
           class_code, created_at, registered_at, sha256, length(content), masked,
           string_to_array(owners, ' '), metadata::jsonb
    FROM accepted ORDER BY space, unique_id
    ON CONFLICT DO NOTHING
    RETURNING space, id
), fresh AS (
    SELECT accepted.* FROM accepted JOIN inserted USING (space, id)
), bodies AS (
    INSERT INTO dmp.body (space, sha256, content)
    SELECT space, sha256, content FROM fresh ORDER BY space, sha256
    ON CONFLICT DO NOTHING
), sets AS (
    INSERT INTO dmp.submission_set (id, space, patient, submitted_at, submitter, metadata)
    SELECT DISTINCT ON (submission_set)
           submission_set, space, patient, registered_at, submitter, set_metadata::jsonb
    FROM fresh ORDER BY submission_set
), told AS (
    INSERT INTO dmp.outbox (topic, key, value)
    SELECT '{TOPIC}', patient, event FROM fresh
)
SELECT space, id, pg_notify('{channel_of("dmp")}', '') FROM inserted
"""


async def register(
    connection: Connection, entries: Sequence[Entry], *, implicit_records: bool
) -> set[Key]:
    """What is new in the registry, durable once the surrounding transaction is."""
    rows = await connection.fetch(REGISTER, *arguments(entries), implicit_records)
    return {(row["space"], row["id"]) for row in rows}


def arguments(entries: Sequence[Entry]) -> list[list[Any]]:
    return [
        [getattr(entry, name) for entry in entries]
        for name in (
            "id", "logical_id", "submission_set", "space", "unique_id", "patient", "type_code",
            "class_code", "created_at", "registered_at", "sha256", "content", "chain_id",
            "masked", "owners",
        )
    ] + [
        [entry.metadata.decode() for entry in entries],
        [entry.set_metadata.decode() for entry in entries],
        [entry.submitter for entry in entries],
        [entry.event for entry in entries],
        [entry.traits.decode() for entry in entries],
    ]  # fmt: skip
