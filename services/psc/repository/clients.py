"""The relying parties of a space."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.client import Client
from socle.db.database import WriteSession

_COLUMNS = "space, client_id, name, secret_digest, redirect_uris, post_logout_redirect_uris, loopback, pkce"


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
            f"INSERT INTO psc.client ({_COLUMNS}) VALUES (:space, :client_id, :name,"
            " :secret_digest, :redirect_uris, :post_logout_redirect_uris, :loopback, :pkce)"
            " ON CONFLICT DO NOTHING RETURNING client_id"
        ),
        {
            "space": client.space,
            "client_id": client.client_id,
            "name": client.name,
            "secret_digest": client.secret_digest,
            "redirect_uris": list(client.redirect_uris),
            "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
            "loopback": client.loopback,
            "pkce": client.pkce,
        },
    )
    return result.one_or_none() is not None


def _client(row: Row[Any]) -> Client:
    return Client(
        space=row.space,
        client_id=row.client_id,
        name=row.name,
        secret_digest=None if row.secret_digest is None else bytes(row.secret_digest),
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        loopback=row.loopback,
        pkce=row.pkce,
    )
