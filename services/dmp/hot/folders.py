"""What goes into which folder, in the transaction that registers the documents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.dmp.domain import refusals
from services.dmp.domain.entry import Entry
from services.dmp.domain.folder import Filing, NewFolder
from services.dmp.hot.statement import Connection
from socle.problems import Problem

_CREATE = """
INSERT INTO dmp.folder (space, id, patient, unique_id, submission_set, updated_at, metadata)
SELECT $1, row.id, $2, row.unique_id, $3, $4, row.metadata::jsonb
FROM unnest($5::uuid[], $6::text[], $7::text[]) AS row(id, unique_id, metadata)
ORDER BY row.unique_id
ON CONFLICT DO NOTHING
RETURNING id
"""
_LOCK = """
SELECT id, patient FROM dmp.folder WHERE space = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
"""
_TOUCH = """
UPDATE dmp.folder SET updated_at = $3, version = version + 1
WHERE space = $1 AND id = ANY($2::uuid[])
"""
_DOCUMENTS = """
SELECT id, logical_id, patient FROM dmp.document WHERE space = $1 AND id = ANY($2::uuid[])
"""
_FILE = """
INSERT INTO dmp.folder_member (space, folder, document)
SELECT DISTINCT $1, * FROM unnest($2::uuid[], $3::uuid[])
ON CONFLICT DO NOTHING
"""
_SUCCEED = """
WITH filed AS (
    INSERT INTO dmp.folder_member (space, folder, document)
    SELECT member.space, member.folder, replaced.fresh
    FROM unnest($2::uuid[], $3::uuid[]) AS replaced(old, fresh)
    JOIN dmp.folder_member AS member ON member.space = $1 AND member.document = replaced.old
    ON CONFLICT DO NOTHING
    RETURNING folder
)
UPDATE dmp.folder SET updated_at = $4, version = version + 1
WHERE space = $1 AND id IN (SELECT folder FROM filed)
"""


async def file_documents(
    connection: Connection,
    entries: Sequence[Entry],
    folders: Sequence[NewFolder],
    filings: Sequence[Filing],
    at: datetime,
) -> list[Problem]:
    """What forbids it; then the caller rolls the transaction back. `entries` are registered in it."""
    space, patient = entries[0].space, entries[0].patient
    rows = await connection.fetch(
        _CREATE,
        space,
        patient,
        entries[0].submission_set,
        at,
        [one.id for one in folders],
        [one.folder.unique_id for one in folders],
        [_metadata(one) for one in folders],
    )
    created = {row["id"] for row in rows}
    problems = [refusals.folder_taken(one.path) for one in folders if one.id not in created]
    if problems or not filings:
        return problems
    named = list({one.folder for one in filings})
    owners = {row["id"]: row["patient"] for row in await connection.fetch(_LOCK, space, named)}
    found = await connection.fetch(_DOCUMENTS, space, [one.document for one in filings])
    documents = {row["id"]: row for row in found}
    for one in filings:
        document = documents.get(one.document)
        if one.folder not in owners:
            problems.append(refusals.no_such_folder(f"{one.path}/@sourceObject"))
        elif owners[one.folder] != patient:
            problems.append(refusals.folder_of_another(f"{one.path}/@sourceObject"))
        if document is None:
            problems.append(refusals.no_such_member(f"{one.path}/@targetObject"))
        elif document["patient"] != patient:
            problems.append(refusals.another_patient(f"{one.path}/@targetObject"))
    if problems:
        return problems
    members = [documents[one.document]["logical_id"] for one in filings]
    await connection.execute(_FILE, space, [one.folder for one in filings], members)
    await connection.execute(_TOUCH, space, [one for one in named if one not in created], at)
    return []


def _metadata(new: NewFolder) -> str:
    metadata: dict[str, Any] = {"xds": new.folder.as_json()}
    if new.submitted is not None:
        metadata["submitted"] = new.submitted
    return orjson.dumps(metadata).decode()


async def succeed(
    connection: Connection, space: str, replaced: Sequence[tuple[UUID, UUID]], at: datetime
) -> None:
    """What takes the place of a document goes into its folders too (ITI TF-2 §3.42.4.1.3.3.1).

    `replaced` pairs the logicalIds of the old and of the new document.
    """
    old, fresh = [one for one, _ in replaced], [one for _, one in replaced]
    await connection.execute(_SUCCEED, space, old, fresh, at)
