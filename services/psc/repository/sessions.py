"""Single sign-on sessions, and the login pages that lead to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.session import Session
from socle.db.database import WriteSession

_COLUMNS = "space, id, national_id, auth_mode, started_at, last_seen_at, closed_at"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    request: dict[str, Any]
    issuer: str


async def insert_login(
    session: WriteSession,
    space: str,
    digest: bytes,
    browser_digest: bytes,
    pending: PendingLogin,
    expires_at: datetime,
) -> None:
    await session.execute(
        text(
            "INSERT INTO psc.login (space, digest, browser_digest, request, issuer, expires_at)"
            " VALUES (:space, :digest, :browser, CAST(:request AS jsonb), :issuer, :expires_at)"
        ),
        {
            "space": space,
            "digest": digest,
            "browser": browser_digest,
            "request": orjson.dumps(pending.request).decode(),
            "issuer": pending.issuer,
            "expires_at": expires_at,
        },
    )


async def find_login(
    session: AsyncSession, space: str, digest: bytes, browser_digest: bytes, now: datetime
) -> PendingLogin | None:
    """The page's request while the page waits, only to the browser that opened it."""
    result = await session.execute(
        text(
            "SELECT request, issuer FROM psc.login WHERE space = :space AND digest = :digest"
            " AND browser_digest = :browser AND expires_at > :now"
        ),
        {"space": space, "digest": digest, "browser": browser_digest, "now": now},
    )
    row = result.one_or_none()
    return None if row is None else PendingLogin(dict(row.request), row.issuer)


async def take_login(
    session: WriteSession, space: str, digest: bytes, browser_digest: bytes, now: datetime
) -> PendingLogin | None:
    """The page's request, once, and only to the browser that opened the page."""
    result = await session.execute(
        text(
            "DELETE FROM psc.login WHERE space = :space AND digest = :digest"
            " AND browser_digest = :browser AND expires_at > :now RETURNING request, issuer"
        ),
        {"space": space, "digest": digest, "browser": browser_digest, "now": now},
    )
    row = result.one_or_none()
    return None if row is None else PendingLogin(dict(row.request), row.issuer)


async def insert(session: WriteSession, opened: Session, browser_digest: bytes | None) -> None:
    await session.execute(
        text(
            f"INSERT INTO psc.session ({_COLUMNS}, browser_digest) VALUES (:space, :id,"
            " :national_id, :auth_mode, :started_at, :last_seen_at, NULL, :browser)"
        ),
        {
            "space": opened.space,
            "id": opened.id,
            "national_id": opened.national_id,
            "auth_mode": opened.auth_mode,
            "started_at": opened.started_at,
            "last_seen_at": opened.last_seen_at,
            "browser": browser_digest,
        },
    )


async def find(session: AsyncSession, space: str, id_: UUID) -> Session | None:
    result = await session.execute(
        text(f"SELECT {_COLUMNS} FROM psc.session WHERE space = :space AND id = :id"),
        {"space": space, "id": id_},
    )
    return _session(result.one_or_none())


async def find_of_browser(session: AsyncSession, space: str, digest: bytes) -> Session | None:
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.session"
            " WHERE space = :space AND browser_digest = :digest AND closed_at IS NULL"
        ),
        {"space": space, "digest": digest},
    )
    return _session(result.one_or_none())


async def list_open(
    session: AsyncSession, space: str, national_id: str | None, limit: int
) -> list[Session]:
    """The newest first."""
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.session WHERE space = :space AND closed_at IS NULL"
            " AND (CAST(:person AS text) IS NULL OR national_id = :person)"
            " ORDER BY started_at DESC, id LIMIT :limit"
        ),
        {"space": space, "person": national_id, "limit": limit},
    )
    return [found for row in result if (found := _session(row)) is not None]


async def touch(session: WriteSession, space: str, id_: UUID, now: datetime) -> bool:
    """Restarts the idle delay; False when the session was closed meanwhile."""
    result = await session.execute(
        text(
            "UPDATE psc.session SET last_seen_at = greatest(last_seen_at, :now)"
            " WHERE space = :space AND id = :id AND closed_at IS NULL RETURNING id"
        ),
        {"space": space, "id": id_, "now": now},
    )
    return result.one_or_none() is not None


async def close(session: WriteSession, space: str, id_: UUID, now: datetime) -> Session | None:
    """The session if this call closed it; None when another did, so that one event is sent."""
    result = await session.execute(
        text(
            "UPDATE psc.session SET closed_at = :now"
            f" WHERE space = :space AND id = :id AND closed_at IS NULL RETURNING {_COLUMNS}"
        ),
        {"space": space, "id": id_, "now": now},
    )
    return _session(result.one_or_none())


async def spaces_with_expired(
    session: AsyncSession, idle_since: datetime, started_before: datetime
) -> list[str]:
    result = await session.execute(
        text(
            "SELECT DISTINCT space FROM psc.session WHERE closed_at IS NULL"
            " AND (last_seen_at <= :idle_since OR started_at <= :started_before)"
        ),
        {"idle_since": idle_since, "started_before": started_before},
    )
    return list(result.scalars())


async def close_expired(
    session: WriteSession,
    space: str,
    now: datetime,
    idle_since: datetime,
    started_before: datetime,
    limit: int,
) -> list[Session]:
    """Closes sessions that have run out; several processes may share the work."""
    result = await session.execute(
        text(
            "UPDATE psc.session SET closed_at = :now WHERE space = :space AND id IN ("
            " SELECT id FROM psc.session WHERE space = :space AND closed_at IS NULL"
            " AND (last_seen_at <= :idle_since OR started_at <= :started_before)"
            f" ORDER BY last_seen_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}"
        ),
        {
            "space": space,
            "now": now,
            "idle_since": idle_since,
            "started_before": started_before,
            "limit": limit,
        },
    )
    return [found for row in result if (found := _session(row)) is not None]


async def forget(session: WriteSession, now: datetime, closed_before: datetime) -> None:
    """Removes login pages that nobody answered, and sessions long closed with all they granted."""
    await session.execute(text("DELETE FROM psc.login WHERE expires_at <= :now"), {"now": now})
    await session.execute(
        text("DELETE FROM psc.session WHERE closed_at <= :before"), {"before": closed_before}
    )


def _session(row: Row[Any] | None) -> Session | None:
    if row is None:
        return None
    return Session(
        space=row.space,
        id=row.id,
        national_id=row.national_id,
        auth_mode=row.auth_mode,
        started_at=row.started_at,
        last_seen_at=row.last_seen_at,
        closed_at=row.closed_at,
    )
