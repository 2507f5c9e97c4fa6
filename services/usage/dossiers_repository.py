"""SQL of the dossiers."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import dossier
from socle.db.database import WriteSession


async def find(session: AsyncSession, space: str, beneficiary: str, programme: str) -> str | None:
    result = await session.execute(
        select(dossier.c.body).where(
            dossier.c.space == space,
            dossier.c.beneficiary == beneficiary,
            dossier.c.programme == programme,
        )
    )
    body: str | None = result.scalar_one_or_none()
    return body


async def put(
    session: WriteSession, space: str, beneficiary: str, programme: str, body: str, at: datetime
) -> None:
    statement = insert(dossier).values(
        space=space, beneficiary=beneficiary, programme=programme, body=body, stored_at=at
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_dossier", set_={"body": body, "stored_at": at}
        )
    )
