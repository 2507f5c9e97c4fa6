"""Sessions and traces of the Proxy e-Santé."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.esante_proxy import ProxySession
from socle.db.database import WriteSession

_NAMES = tuple(field.name for field in fields(ProxySession))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f":{name}" for name in _NAMES)


async def insert(session: WriteSession, opened: ProxySession) -> None:
    await session.execute(
        text(f"INSERT INTO psc.proxy_session ({_COLUMNS}) VALUES ({_VALUES})"), asdict(opened)
    )


async def find(session: AsyncSession, id_: UUID, now: datetime) -> ProxySession | None:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.proxy_session WHERE id = :id AND expires_at > :now"),
        {"id": id_, "now": now},
    )
    row = result.one_or_none()
    return None if row is None else ProxySession(**row._mapping)


async def take(session: WriteSession, id_: UUID) -> bool:
    """Of two disconnections at once, one finds it."""
    result = await session.execute(
        text("DELETE FROM psc.proxy_session WHERE id = :id RETURNING id"), {"id": id_}
    )
    return result.one_or_none() is not None


async def replace_token(session: WriteSession, id_: UUID, api_token: UUID) -> None:
    await session.execute(
        text("UPDATE psc.proxy_session SET api_token = :api_token WHERE id = :id"),
        {"id": id_, "api_token": api_token},
    )


async def record(
    session: WriteSession, space: str, document: dict[str, Any], now: datetime
) -> None:
    await session.execute(
        text(
            "INSERT INTO psc.proxy_trace (space, document, at)"
            " VALUES (:space, CAST(:document AS jsonb), :now)"
        ),
        {"space": space, "document": orjson.dumps(document).decode(), "now": now},
    )


async def traces(
    session: AsyncSession, space: str, start: datetime, end: datetime, limit: int
) -> list[dict[str, Any]]:
    """The oldest first."""
    result = await session.execute(
        text(
            "SELECT document FROM psc.proxy_trace WHERE space = :space AND at > :start"
            " AND at < :end ORDER BY at, id LIMIT :limit"
        ),
        {"space": space, "start": start, "end": end, "limit": limit},
    )
    return [dict(document) for document in result.scalars()]


async def forget(session: WriteSession, now: datetime, traced_before: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.proxy_session WHERE expires_at <= :now"), {"now": now}
    )
    await session.execute(
        text("DELETE FROM psc.proxy_trace WHERE at < :before"), {"before": traced_before}
    )
