"""The provider's signing keys."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.db.database import WriteSession


async def published(session: AsyncSession) -> list[dict[str, Any]]:
    """Every key, the one that signs first."""
    result = await session.execute(
        text("SELECT jwk FROM psc.signing_key ORDER BY active DESC, created_at DESC")
    )
    return [dict(row.jwk) for row in result]


async def insert_first(
    session: WriteSession, kid: str, alg: str, jwk: dict[str, Any], now: datetime
) -> None:
    """Does nothing when a rival has made the active key of `alg` already."""
    await session.execute(
        text(
            "INSERT INTO psc.signing_key (kid, alg, jwk, active, created_at)"
            " VALUES (:kid, :alg, CAST(:jwk AS jsonb), true, :now)"
            " ON CONFLICT (alg) WHERE active DO NOTHING"
        ),
        {"kid": kid, "alg": alg, "jwk": orjson.dumps(jwk).decode(), "now": now},
    )
