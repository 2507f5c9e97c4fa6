"""API keys and the switches of a space: their SQL."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.settings import MssSettings
from socle.db.database import WriteSession
from socle.idgen import uuid7

KeyCheck = Literal["off", "enforce"]


@dataclass(frozen=True, slots=True)
class Key:
    space: str
    id: UUID
    label: str
    may_write: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Switches:
    """What a space has set; None where the service's own setting holds."""

    api_key: KeyCheck | None = None
    as_in_production: bool | None = None

    def over(self, settings: MssSettings) -> "InForce":
        production = self.as_in_production
        return InForce(
            self.api_key or settings.mss_annuaire_api_key,
            settings.mss_annuaire_as_in_production if production is None else production,
        )


@dataclass(frozen=True, slots=True)
class InForce:
    api_key: KeyCheck
    as_in_production: bool


def digest_of(secret: str) -> bytes:
    """Keys are random, so a plain hash is enough to keep them from whoever reads the table."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


async def insert_key(
    session: WriteSession, space: str, secret: str, label: str, *, may_write: bool, at: datetime
) -> UUID:
    """One that is there already keeps its right."""
    made = await session.execute(
        text(
            "INSERT INTO mss.annuaire_key (space, digest, id, label, may_write, created_at)"
            " VALUES (:space, :digest, :id, :label, :may_write, :at)"
            " ON CONFLICT (digest, space) DO UPDATE SET label = excluded.label RETURNING id"
        ),
        {
            "space": space,
            "digest": digest_of(secret),
            "id": uuid7(),
            "label": label,
            "may_write": may_write,
            "at": at,
        },
    )
    id_: UUID = made.scalar_one()
    return id_


async def find_key(session: AsyncSession, secret: str, space: str) -> Key | None:
    """The key of this space, or else of another: the demo key is of every space, others of one."""
    columns = "SELECT space, id, label, may_write, created_at FROM mss.annuaire_key"
    rows = await session.execute(
        text(
            f"{columns} WHERE digest = :digest AND space = :space UNION ALL"
            f" ({columns} WHERE digest = :digest AND space <> :space LIMIT 1)"
        ),
        {"digest": digest_of(secret), "space": space},
    )
    found = [Key(*row) for row in rows]
    return next((key for key in found if key.space == space), found[0] if found else None)


async def list_keys(session: AsyncSession, space: str) -> list[Key]:
    rows = await session.execute(
        text(
            "SELECT space, id, label, may_write, created_at FROM mss.annuaire_key"
            " WHERE space = :space ORDER BY created_at, id"
        ),
        {"space": space},
    )
    return [Key(*row) for row in rows]


async def delete_key(session: WriteSession, space: str, id_: UUID) -> bool:
    gone = await session.execute(
        text("DELETE FROM mss.annuaire_key WHERE space = :space AND id = :id RETURNING id"),
        {"space": space, "id": id_},
    )
    return gone.one_or_none() is not None


async def read_switches(session: AsyncSession, space: str) -> Switches:
    rows = await session.execute(
        text("SELECT api_key, as_in_production FROM mss.annuaire_space WHERE space = :space"),
        {"space": space},
    )
    row = rows.one_or_none()
    return Switches() if row is None else Switches(row.api_key, row.as_in_production)


async def store_switches(session: WriteSession, space: str, switches: Switches) -> None:
    await session.execute(
        text(
            "INSERT INTO mss.annuaire_space (space, api_key, as_in_production)"
            " VALUES (:space, :api_key, :as_in_production) ON CONFLICT (space) DO UPDATE"
            " SET api_key = excluded.api_key, as_in_production = excluded.as_in_production"
        ),
        {
            "space": space,
            "api_key": switches.api_key,
            "as_in_production": switches.as_in_production,
        },
    )
