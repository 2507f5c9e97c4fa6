"""The provider's signing keys. They belong to the deployment, not to a space."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class StoredKey:
    kid: str
    alg: str
    jwk: dict[str, Any] = field(repr=False)
    active: bool


async def published(session: AsyncSession, retired_since: datetime) -> list[StoredKey]:
    """The keys that sign, first; then those that did until not long ago."""
    result = await session.execute(
        text(
            "SELECT kid, alg, jwk, active FROM psc.signing_key"
            " WHERE retired_at IS NULL OR retired_at > :since"
            " ORDER BY active DESC, alg DESC, created_at DESC"
        ),
        {"since": retired_since},
    )
    return [StoredKey(row.kid, row.alg, dict(row.jwk), row.active) for row in result]


async def insert_first(session: WriteSession, made: Sequence[StoredKey], now: datetime) -> None:
    """Does nothing where a rival has made the active key of an algorithm already."""
    await session.execute(
        text(
            "INSERT INTO psc.signing_key (kid, alg, jwk, active, created_at)"
            " VALUES (:kid, :alg, CAST(:jwk AS jsonb), true, :now)"
            " ON CONFLICT (alg) WHERE active DO NOTHING"
        ),
        [
            {"kid": key.kid, "alg": key.alg, "jwk": orjson.dumps(key.jwk).decode(), "now": now}
            for key in made
        ],
    )


async def replace_active(session: WriteSession, made: Sequence[StoredKey], now: datetime) -> None:
    """Of two rotations at once, the second waits and replaces the first's keys."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('psc.signing_key'))"))
    await session.execute(
        text("UPDATE psc.signing_key SET active = false, retired_at = :now WHERE active"),
        {"now": now},
    )
    await insert_first(session, made, now)


async def delete_retired(session: WriteSession, retired_until: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.signing_key WHERE retired_at <= :until"), {"until": retired_until}
    )
