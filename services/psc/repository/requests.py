"""Requests that wait for their person, and the phones that answer them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.psc.domain.ecps import AuthenticationRequest, Phone, Status
from socle.db.database import Database, WriteSession

_COLUMNS = (
    "space, id, client_id, national_id, channel, number, choices, scope, issuer, status,"
    " wrong_numbers, created_at, expires_at, last_polled_at"
)


_INSERT_POLLED = """
INSERT INTO psc.authentication_request (space, id, client_id, national_id, channel, number, choices,
    scope, issuer, status, wrong_numbers, created_at, expires_at, auth_req_digest)
SELECT $1, $2, $3, national_id, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13
FROM psc.person
WHERE space = $1 AND national_id = $4 AND (document->>'enabled')::boolean
RETURNING id
"""


async def insert_polled(
    database: Database, request: AuthenticationRequest, auth_req_digest: bytes
) -> bool:
    """CIBA's, in a transaction of its own; False for a person who is unknown here or disabled."""
    rows = await database.fetch(
        _INSERT_POLLED, request.space, request.id, request.client_id, request.national_id,
        request.channel, request.number, list(request.choices), request.scope, request.issuer,
        request.status, request.created_at, request.expires_at, auth_req_digest,
    )  # fmt: skip
    return bool(rows)


async def insert(
    session: WriteSession, request: AuthenticationRequest, login_digest: bytes
) -> None:
    """A login page's."""
    await session.execute(
        text(
            f"INSERT INTO psc.authentication_request ({_COLUMNS}, login_digest)"
            " VALUES (:space, :id, :client_id, :national_id, :channel, :number, :choices, :scope,"
            " :issuer, :status, :wrong_numbers, :created_at, :expires_at, :last_polled_at,"
            " :login_digest)"
        ),
        {
            **asdict(request),
            "choices": list(request.choices),
            "login_digest": login_digest,
        },
    )


async def find_polled(
    session: AsyncSession, space: str, digest: bytes
) -> AuthenticationRequest | None:
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.authentication_request"
            " WHERE space = :space AND auth_req_digest = :digest"
        ),
        {"space": space, "digest": digest},
    )
    return _request(result.one_or_none())


async def lock_polled(
    session: WriteSession, space: str, digest: bytes
) -> AuthenticationRequest | None:
    """Locked: of two polls at once the second sees what the first has done."""
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.authentication_request"
            " WHERE space = :space AND auth_req_digest = :digest FOR UPDATE"
        ),
        {"space": space, "digest": digest},
    )
    return _request(result.one_or_none())


async def lock(session: WriteSession, space: str, id_: UUID) -> AuthenticationRequest | None:
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.authentication_request"
            " WHERE space = :space AND id = :id FOR UPDATE"
        ),
        {"space": space, "id": id_},
    )
    return _request(result.one_or_none())


async def find_of_page(
    session: AsyncSession, space: str, id_: UUID, login_digest: bytes
) -> AuthenticationRequest | None:
    """None when the request is not of this login page."""
    return _request(await _of_page(session, space, id_, login_digest, ""))


async def lock_of_page(
    session: WriteSession, space: str, id_: UUID, login_digest: bytes
) -> AuthenticationRequest | None:
    return _request(await _of_page(session, space, id_, login_digest, " FOR UPDATE"))


async def _of_page(
    session: AsyncSession, space: str, id_: UUID, login_digest: bytes, lock: str
) -> Row[Any] | None:
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.authentication_request"
            f" WHERE space = :space AND id = :id AND login_digest = :digest{lock}"
        ),
        {"space": space, "id": id_, "digest": login_digest},
    )
    return result.one_or_none()


async def list_latest(
    session: AsyncSession, space: str, national_id: str | None, limit: int
) -> list[AuthenticationRequest]:
    """The newest first."""
    of_person = "" if national_id is None else " AND national_id = :national_id"
    result = await session.execute(
        text(
            f"SELECT {_COLUMNS} FROM psc.authentication_request WHERE space = :space{of_person}"
            " ORDER BY created_at DESC, id LIMIT :limit"
        ),
        {"space": space, "national_id": national_id, "limit": limit},
    )
    return [found for row in result if (found := _request(row)) is not None]


async def note_poll(session: WriteSession, request: AuthenticationRequest, now: datetime) -> None:
    await session.execute(
        text(
            "UPDATE psc.authentication_request SET last_polled_at = :now"
            " WHERE space = :space AND id = :id"
        ),
        {"space": request.space, "id": request.id, "now": now},
    )


async def decide(
    session: WriteSession, request: AuthenticationRequest, status: Status, wrong_numbers: int
) -> None:
    await session.execute(
        text(
            "UPDATE psc.authentication_request SET status = :status, wrong_numbers = :wrong"
            " WHERE space = :space AND id = :id"
        ),
        {
            "space": request.space,
            "id": request.id,
            "status": status,
            "wrong": wrong_numbers,
        },
    )


async def expire(session: WriteSession, request: AuthenticationRequest, now: datetime) -> None:
    await session.execute(
        text(
            "UPDATE psc.authentication_request SET expires_at = least(expires_at, :now)"
            " WHERE space = :space AND id = :id"
        ),
        {"space": request.space, "id": request.id, "now": now},
    )


async def forget(session: WriteSession, expired_before: datetime) -> None:
    await session.execute(
        text("DELETE FROM psc.authentication_request WHERE expires_at <= :before"),
        {"before": expired_before},
    )


async def lock_phone(session: WriteSession, space: str, national_id: str) -> Phone:
    """The row is made first, so that two wrong PINs at once are counted as two."""
    key = {"space": space, "national_id": national_id}
    await session.execute(
        text(
            "INSERT INTO psc.phone (space, national_id, wrong_pins) VALUES (:space, :national_id, 0)"
            " ON CONFLICT DO NOTHING"
        ),
        key,
    )
    result = await session.execute(
        text(
            "SELECT wrong_pins, locked_until FROM psc.phone"
            " WHERE space = :space AND national_id = :national_id FOR UPDATE"
        ),
        key,
    )
    row = result.one()
    return Phone(row.wrong_pins, row.locked_until)


async def store_phone(session: WriteSession, space: str, national_id: str, phone: Phone) -> None:
    await session.execute(
        text(
            "UPDATE psc.phone SET wrong_pins = :wrong_pins, locked_until = :locked_until"
            " WHERE space = :space AND national_id = :national_id"
        ),
        {"space": space, "national_id": national_id, **asdict(phone)},
    )


def _request(row: Row[Any] | None) -> AuthenticationRequest | None:
    if row is None:
        return None
    return AuthenticationRequest(**{**row._mapping, "choices": tuple(row.choices)})
