"""Grants with their codes, and the tokens that came of them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.session import Grant, TokenRecord
from socle.db.database import WriteSession

_COLUMNS = (
    "space, id, session_id, client_id, redirect_uri, scope, nonce, acr, issuer, challenge,"
    " challenge_method, code_expires_at, code_used_at, revoked_at, certificate_thumbprint"
)
_PAIR = (
    "refresh_digest, access_jti, grant_id, access_expires_at, refresh_expires_at,"
    " refresh_used_at, access_revoked_at"
)


async def insert(session: WriteSession, grant: Grant, code_digest: bytes | None) -> None:
    """Without a code when the grant comes from CIBA."""
    await session.execute(
        text(
            f"INSERT INTO psc.client_grant ({_COLUMNS}, code_digest) VALUES (:space, :id,"
            " :session_id, :client_id, :redirect_uri, :scope, :nonce, :acr, :issuer, :challenge,"
            " :challenge_method, :code_expires_at, NULL, NULL, :certificate_thumbprint,"
            " :code_digest)"
        ),
        {**asdict(grant), "code_digest": code_digest},
    )


async def take_code(
    session: WriteSession, space: str, code_digest: bytes, now: datetime
) -> Grant | None:
    """Burns a code that nobody has presented yet; of rivals one gets its grant, the others None."""
    result = await session.execute(
        text(
            "UPDATE psc.client_grant SET code_used_at = :now"
            " WHERE space = :space AND code_digest = :digest AND code_used_at IS NULL"
            f" RETURNING {_COLUMNS}"
        ),
        {"space": space, "digest": code_digest, "now": now},
    )
    return _grant(result.one_or_none())


async def bind(session: WriteSession, grant: Grant) -> None:
    """Notes the certificate to which the grant's tokens are bound."""
    await session.execute(
        text(
            "UPDATE psc.client_grant SET certificate_thumbprint = :thumbprint"
            " WHERE space = :space AND id = :id"
        ),
        {"space": grant.space, "id": grant.id, "thumbprint": grant.certificate_thumbprint},
    )


async def of_code(session: AsyncSession, space: str, code_digest: bytes) -> Grant | None:
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.client_grant"
            " WHERE space = :space AND code_digest = :digest"
        ),
        {"space": space, "digest": code_digest},
    )
    return _grant(result.one_or_none())


async def find(session: AsyncSession, space: str, id_: UUID) -> Grant | None:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.client_grant WHERE space = :space AND id = :id"),
        {"space": space, "id": id_},
    )
    return _grant(result.one_or_none())


async def revoke(session: WriteSession, grant: Grant, now: datetime) -> None:
    """Ends every token of the grant at once."""
    await session.execute(
        text(
            "UPDATE psc.client_grant SET revoked_at = coalesce(revoked_at, :now)"
            " WHERE space = :space AND id = :id"
        ),
        {"space": grant.space, "id": grant.id, "now": now},
    )


async def revoke_client_session(session: WriteSession, grant: Grant, now: datetime) -> None:
    """Ends all that this client holds in this session, not what other clients hold there.

    Rows are locked in one order, and with a lock that new tokens of theirs do not wait for, so
    that replays and refreshes which run at once cannot block one another for good.
    """
    await session.execute(
        text(
            "UPDATE psc.client_grant SET revoked_at = :now WHERE space = :space AND id IN ("
            " SELECT id FROM psc.client_grant WHERE space = :space AND session_id = :session_id"
            " AND client_id = :client_id AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE)"
        ),
        {
            "space": grant.space,
            "session_id": grant.session_id,
            "client_id": grant.client_id,
            "now": now,
        },
    )


async def delete_of_client(session: WriteSession, space: str, client_id: str) -> None:
    """With their tokens."""
    await session.execute(
        text("DELETE FROM psc.client_grant WHERE space = :space AND client_id = :client_id"),
        {"space": space, "client_id": client_id},
    )


async def insert_token(session: WriteSession, space: str, token: TokenRecord) -> None:
    await session.execute(
        text(
            f"INSERT INTO psc.token (space, {_PAIR}) VALUES (:space, :refresh_digest, :access_jti,"
            " :grant_id, :access_expires_at, :refresh_expires_at, NULL, NULL)"
        ),
        {"space": space, **asdict(token)},
    )


async def of_refresh(session: AsyncSession, space: str, digest: bytes) -> TokenRecord | None:
    result = await session.execute(
        text(f"SELECT {_PAIR} FROM psc.token WHERE space = :space AND refresh_digest = :digest"),
        {"space": space, "digest": digest},
    )
    return _token(result.one_or_none())


async def lock_refresh(session: WriteSession, space: str, digest: bytes) -> TokenRecord | None:
    """As `of_refresh`, locked: of two refreshes with one token, the second sees it used."""
    result = await session.execute(
        text(
            f"SELECT {_PAIR} FROM psc.token"
            " WHERE space = :space AND refresh_digest = :digest FOR UPDATE"
        ),
        {"space": space, "digest": digest},
    )
    return _token(result.one_or_none())


async def of_access(session: AsyncSession, space: str, jti: UUID) -> TokenRecord | None:
    result = await session.execute(
        text(f"SELECT {_PAIR} FROM psc.token WHERE space = :space AND access_jti = :jti"),
        {"space": space, "jti": jti},
    )
    return _token(result.one_or_none())


async def mark_refresh_used(
    session: WriteSession, space: str, digest: bytes, now: datetime
) -> None:
    await session.execute(
        text(
            "UPDATE psc.token SET refresh_used_at = :now"
            " WHERE space = :space AND refresh_digest = :digest"
        ),
        {"space": space, "digest": digest, "now": now},
    )


async def revoke_access(session: WriteSession, space: str, jti: UUID, now: datetime) -> None:
    await session.execute(
        text(
            "UPDATE psc.token SET access_revoked_at = coalesce(access_revoked_at, :now)"
            " WHERE space = :space AND access_jti = :jti"
        ),
        {"space": space, "jti": jti, "now": now},
    )


def _grant(row: Row[Any] | None) -> Grant | None:
    if row is None:
        return None
    thumbprint = row.certificate_thumbprint
    return Grant(
        **{
            **row._mapping,
            "certificate_thumbprint": None if thumbprint is None else bytes(thumbprint),
        }
    )


def _token(row: Row[Any] | None) -> TokenRecord | None:
    if row is None:
        return None
    return TokenRecord(**{**row._mapping, "refresh_digest": bytes(row.refresh_digest)})
