"""Tokens of the API realm."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.api_token import ApiToken
from socle.db.database import WriteSession

_NAMES = tuple(field.name for field in fields(ApiToken))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f":{name}" for name in _NAMES)


async def insert(session: WriteSession, token: ApiToken, refresh_digest: bytes) -> None:
    await session.execute(
        text(
            f"INSERT INTO psc.api_token ({_COLUMNS}, refresh_digest)"
            f" VALUES ({_VALUES}, :refresh_digest)"
        ),
        {**asdict(token), "audience": list(token.audience), "refresh_digest": refresh_digest},
    )


async def find(session: AsyncSession, space: str, jti: UUID) -> ApiToken | None:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.api_token WHERE space = :space AND jti = :jti"),
        {"space": space, "jti": jti},
    )
    return _token(result.one_or_none())


async def lock_refresh(session: WriteSession, space: str, digest: bytes) -> ApiToken | None:
    """Locked: of two refreshes with one token, the second sees it used."""
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.api_token"
            " WHERE space = :space AND refresh_digest = :digest FOR UPDATE"
        ),
        {"space": space, "digest": digest},
    )
    return _token(result.one_or_none())


async def mark_used(session: WriteSession, token: ApiToken, now: datetime) -> None:
    await session.execute(
        text("UPDATE psc.api_token SET refresh_used_at = :now WHERE space = :space AND jti = :jti"),
        {"space": token.space, "jti": token.jti, "now": now},
    )


async def revoke_grant(session: WriteSession, space: str, grant_id: UUID, now: datetime) -> None:
    """Every token that came of one exchange."""
    await session.execute(
        text(
            "UPDATE psc.api_token SET revoked_at = coalesce(revoked_at, :now)"
            " WHERE space = :space AND grant_id = :grant_id"
        ),
        {"space": space, "grant_id": grant_id, "now": now},
    )


async def forget(session: WriteSession, expired_before: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.api_token WHERE greatest(expires_at, refresh_expires_at) < :before"),
        {"before": expired_before},
    )


def _token(row: Row[Any] | None) -> ApiToken | None:
    if row is None:
        return None
    thumbprint = row.certificate_thumbprint
    return ApiToken(
        **{
            **row._mapping,
            "audience": tuple(row.audience),
            "certificate_thumbprint": None if thumbprint is None else bytes(thumbprint),
        }
    )
