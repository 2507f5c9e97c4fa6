"""The relying parties of a space."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.client import Client
from socle.db.database import WriteSession

_NAMES = tuple(field.name for field in fields(Client))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join("CAST(:jwks AS jsonb)" if name == "jwks" else f":{name}" for name in _NAMES)
_CHANGES = ", ".join(
    f"{name} = EXCLUDED.{name}" for name in _NAMES if name not in ("space", "client_id")
)


async def find(session: AsyncSession, space: str, client_id: str) -> Client | None:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.client WHERE space = :space AND client_id = :client_id"),
        {"space": space, "client_id": client_id},
    )
    row = result.one_or_none()
    return None if row is None else _client(row)


async def find_anywhere(session: AsyncSession, client_id: str, default: str) -> Client | None:
    """The client whose request names no space: the default space's own, else the only one."""
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.client WHERE client_id = :client_id"
            " ORDER BY (space = :default) DESC LIMIT 2"
        ),
        {"client_id": client_id, "default": default},
    )
    rows = result.all()
    if rows and (rows[0].space == default or len(rows) == 1):
        return _client(rows[0])
    return None


async def list_all(session: AsyncSession, space: str) -> list[Client]:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.client WHERE space = :space ORDER BY client_id"),
        {"space": space},
    )
    return [_client(row) for row in result]


async def insert(session: WriteSession, client: Client) -> bool:
    """False when the space has a client of this name already; nothing is changed then."""
    result = await session.execute(
        text(
            f"INSERT INTO psc.client ({_COLUMNS}) VALUES ({_VALUES})"
            " ON CONFLICT DO NOTHING RETURNING client_id"
        ),
        _row(client),
    )
    return result.one_or_none() is not None


async def store(session: WriteSession, client: Client) -> None:
    """Replaces the client of this name, or makes it."""
    await session.execute(
        text(
            f"INSERT INTO psc.client ({_COLUMNS}) VALUES ({_VALUES})"
            f" ON CONFLICT (space, client_id) DO UPDATE SET {_CHANGES}"
        ),
        _row(client),
    )


async def delete(session: WriteSession, space: str, client_id: str) -> bool:
    result = await session.execute(
        text(
            "DELETE FROM psc.client WHERE space = :space AND client_id = :client_id"
            " RETURNING client_id"
        ),
        {"space": space, "client_id": client_id},
    )
    return result.one_or_none() is not None


async def use_assertion(
    session: WriteSession, client: Client, jti_digest: bytes, expires_at: datetime
) -> bool:
    """False when this assertion was presented before: of rivals, one gets True."""
    result = await session.execute(
        text(
            "INSERT INTO psc.client_assertion (space, client_id, jti_digest, expires_at)"
            " VALUES (:space, :client_id, :digest, :expires_at)"
            " ON CONFLICT DO NOTHING RETURNING space"
        ),
        {
            "space": client.space,
            "client_id": client.client_id,
            "digest": jti_digest,
            "expires_at": expires_at,
        },
    )
    return result.one_or_none() is not None


async def forget_assertions(session: WriteSession, expired_before: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.client_assertion WHERE expires_at < :before"),
        {"before": expired_before},
    )


def _row(client: Client) -> dict[str, Any]:
    return {
        **asdict(client),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "jwks": None if client.jwks is None else orjson.dumps(client.jwks).decode(),
    }


def _client(row: Row[Any]) -> Client:
    values = dict(row._mapping)
    digest = values["secret_digest"]
    return Client(
        **{
            **values,
            "secret_digest": None if digest is None else bytes(digest),
            "redirect_uris": tuple(row.redirect_uris),
            "post_logout_redirect_uris": tuple(row.post_logout_redirect_uris),
        }
    )
