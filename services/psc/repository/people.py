"""The professionals of a space."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.db.database import WriteSession
from socle.people.person import Person

BATCH: Final = 1000
"""Professionals per statement."""


async def find(session: AsyncSession, space: str, national_id: str) -> Person | None:
    result = await session.execute(
        text("SELECT document FROM psc.person WHERE space = :space AND national_id = :national_id"),
        {"space": space, "national_id": national_id},
    )
    document = result.scalar_one_or_none()
    return None if document is None else Person.model_validate(document)


async def list_all(
    session: AsyncSession, space: str, limit: int, after: str | None = None
) -> list[Person]:
    """In the order in which they arrived; `after` is the identifier of the last one seen."""
    result = await session.execute(
        text(
            "SELECT document FROM psc.person WHERE space = :space AND (CAST(:after AS text) IS NULL"
            " OR (position, national_id) > (SELECT position, national_id FROM psc.person"
            "   WHERE space = :space AND national_id = :after))"
            " ORDER BY position, national_id LIMIT :limit"
        ),
        {"space": space, "limit": limit, "after": after},
    )
    return [Person.model_validate(document) for document in result.scalars()]


async def search(session: AsyncSession, space: str, beginning: str, limit: int) -> list[Person]:
    """Whose name, in either order and without accents, or whose identifier begins so."""
    result = await session.execute(
        text(
            "WITH wanted AS (SELECT psc.folded(:beginning) || '%' AS name, :identifier AS number)"
            " SELECT document, position, national_id FROM psc.person, wanted"
            "  WHERE space = :space AND (family_given LIKE wanted.name"
            "   OR given_family LIKE wanted.name OR national_id LIKE wanted.number)"
            " ORDER BY position, national_id LIMIT :limit"
        ),
        {
            "space": space,
            "beginning": _literal(" ".join(beginning.split())),
            "identifier": _literal(beginning.strip()) + "%",
            "limit": limit,
        },
    )
    return [Person.model_validate(row.document) for row in result]


def _literal(value: str) -> str:
    """What LIKE reads as itself."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def count(session: AsyncSession, space: str, up_to: int) -> int:
    """How many there are, counted to `up_to` at most."""
    result = await session.execute(
        text(
            "SELECT count(*) FROM (SELECT 1 FROM psc.person WHERE space = :space LIMIT :limit)"
            " AS some"
        ),
        {"space": space, "limit": up_to},
    )
    return int(result.scalar_one())


async def delete(session: WriteSession, space: str, national_id: str) -> bool:
    result = await session.execute(
        text(
            "DELETE FROM psc.person WHERE space = :space AND national_id = :national_id"
            " RETURNING space"
        ),
        {"space": space, "national_id": national_id},
    )
    return result.one_or_none() is not None


async def upsert(session: WriteSession, space: str, people: Iterable[Person]) -> int:
    """Replaces whoever has the same identifier; newcomers go last. How many there were."""
    result = await session.execute(
        text("SELECT coalesce(max(position), 0) FROM psc.person WHERE space = :space"),
        {"space": space},
    )
    last, stored = result.scalar_one(), 0
    remaining = iter(people)
    # Drawing or reading a batch takes a tenth of a second: other requests must not wait for it.
    while batch := await asyncio.to_thread(_next_batch, remaining):
        await session.execute(
            text(
                "INSERT INTO psc.person (space, national_id, position, document)"
                " SELECT :space, given.national_id, :last + given.rank, given.document"
                " FROM unnest(CAST(:national_ids AS text[]), CAST(:documents AS jsonb[]))"
                "  WITH ORDINALITY AS given (national_id, document, rank)"
                " ON CONFLICT (space, national_id) DO UPDATE SET document = excluded.document"
            ),
            {
                "space": space,
                "last": last + stored,
                "national_ids": [national_id for national_id, _ in batch],
                "documents": [document for _, document in batch],
            },
        )
        stored += len(batch)
    return stored


def _next_batch(people: Iterator[Person]) -> list[tuple[str, str]]:
    return [(person.SubjectNameID, person.model_dump_json()) for person in islice(people, BATCH)]
