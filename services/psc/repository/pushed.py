"""Authorization requests that clients sent ahead."""

from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.db.database import WriteSession


async def insert(
    session: WriteSession,
    space: str,
    digest: bytes,
    client_id: str,
    parameters: dict[str, str],
    expires_at: datetime,
) -> None:
    await session.execute(
        text(
            "INSERT INTO psc.pushed_request (space, digest, client_id, parameters, expires_at)"
            " VALUES (:space, :digest, :client_id, CAST(:parameters AS jsonb), :expires_at)"
        ),
        {
            "space": space,
            "digest": digest,
            "client_id": client_id,
            "parameters": orjson.dumps(parameters).decode(),
            "expires_at": expires_at,
        },
    )


async def find(
    session: AsyncSession, space: str, digest: bytes, client_id: str, now: datetime
) -> dict[str, str] | None:
    """None when it is unknown, used, expired, or another client's."""
    result = await session.execute(
        text(
            "SELECT parameters FROM psc.pushed_request WHERE space = :space AND digest = :digest"
            " AND client_id = :client_id AND expires_at > :now"
        ),
        {"space": space, "digest": digest, "client_id": client_id, "now": now},
    )
    row = result.one_or_none()
    return None if row is None else dict(row.parameters)


async def take(session: WriteSession, space: str, digest: bytes) -> bool:
    """False when another request has used it meanwhile."""
    result = await session.execute(
        text(
            "DELETE FROM psc.pushed_request WHERE space = :space AND digest = :digest"
            " RETURNING space"
        ),
        {"space": space, "digest": digest},
    )
    return result.one_or_none() is not None


async def forget(session: WriteSession, now: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.pushed_request WHERE expires_at <= :now"), {"now": now}
    )
