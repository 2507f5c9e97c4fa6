"""The professionals of a space."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.person import Person
from socle.db.database import WriteSession


async def find(session: AsyncSession, space: str, national_id: str) -> Person | None:
    result = await session.execute(
        text("SELECT document FROM psc.person WHERE space = :space AND national_id = :national_id"),
        {"space": space, "national_id": national_id},
    )
    document = result.scalar_one_or_none()
    return None if document is None else Person.model_validate(document)


async def list_all(session: AsyncSession, space: str, limit: int) -> list[Person]:
    """In the order in which they arrived."""
    result = await session.execute(
        text(
            "SELECT document FROM psc.person WHERE space = :space"
            " ORDER BY position, national_id LIMIT :limit"
        ),
        {"space": space, "limit": limit},
    )
    return [Person.model_validate(document) for document in result.scalars()]


async def upsert(session: WriteSession, space: str, people: Sequence[Person]) -> None:
    """Replaces whoever has the same identifier; newcomers go last."""
    result = await session.execute(
        text("SELECT coalesce(max(position), 0) FROM psc.person WHERE space = :space"),
        {"space": space},
    )
    last = result.scalar_one()
    await session.execute(
        text(
            "INSERT INTO psc.person (space, national_id, position, document)"
            " VALUES (:space, :national_id, :position, CAST(:document AS jsonb))"
            " ON CONFLICT (space, national_id) DO UPDATE SET document = excluded.document"
        ),
        [
            {
                "space": space,
                "national_id": person.SubjectNameID,
                "position": last + rank,
                "document": person.model_dump_json(),
            }
            for rank, person in enumerate(people, 1)
        ],
    )
