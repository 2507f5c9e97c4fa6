"""Who may open a mailbox: delegation by its owners, closing, quotas."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.mailboxes import Mailbox, Rights
from socle.auth.subject import Subject
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.spaces import Space

MAX_DELEGATES = 100


@dataclass(frozen=True, slots=True)
class Delegate:
    national_id: str = field(repr=False)
    rights: Rights
    granted_by: str = field(repr=False)
    granted_at: datetime


def require_owner(box: Mailbox) -> None:
    if box.rights != "owner":
        raise DomainError(
            Category.FORBIDDEN, "not_the_owner", "Only an owner of this mailbox may delegate it."
        )


def require_writer(box: Mailbox) -> None:
    if box.rights == "read":
        raise DomainError(
            Category.FORBIDDEN, "read_only", "This mailbox was delegated to you for reading only."
        )


async def list_delegates(session: AsyncSession, space: str, address: str) -> list[Delegate]:
    rows = await session.execute(
        text(
            "SELECT national_id, rights, granted_by, granted_at FROM mss.mailbox_delegate"
            " WHERE space = :space AND address = :address ORDER BY national_id"
        ),
        {"space": space, "address": address},
    )
    return [Delegate(*row) for row in rows]


async def grant(
    session: WriteSession, space: Space, box: Mailbox, owner: Subject, to: str, rights: Rights
) -> None:
    """Anew replaces the rights. A personal mailbox (PER) may be delegated as well: no source says
    otherwise. An applicative one (APP) is opened by certificates."""
    require_owner(box)
    if box.kind == "APP":
        raise DomainError(
            Category.CONFLICT,
            "mailbox_applicative",
            "An applicative mailbox is opened by certificates; bind one instead of delegating.",
        )
    if to == owner.national_id:
        raise DomainError(
            Category.UNPROCESSABLE,
            "delegation_invalid",
            "The mailbox is delegated as before.",
            problems=[Problem("MSS-DELEGATE", "/national_id", "its owner", "another professional")],
        )
    known = await list_delegates(session, space.name, box.address)
    if len(known) >= MAX_DELEGATES and all(one.national_id != to for one in known):
        raise DomainError(
            Category.CONFLICT,
            "too_many_delegates",
            f"A mailbox has {MAX_DELEGATES} delegates at most.",
        )
    await session.execute(
        text(
            "INSERT INTO mss.mailbox_delegate"
            " VALUES (:space, :address, :to, :rights, :owner, :at)"
            " ON CONFLICT (space, address, national_id)"
            " DO UPDATE SET rights = :rights, granted_by = :owner, granted_at = :at"
        ),
        {
            "space": space.name,
            "address": box.address,
            "to": to,
            "rights": rights,
            "owner": owner.national_id,
            "at": space.now(),
        },
    )


async def withdraw(session: WriteSession, space: str, box: Mailbox, of: str) -> None:
    require_owner(box)
    gone = await session.execute(
        text(
            "DELETE FROM mss.mailbox_delegate WHERE space = :space AND address = :address"
            " AND national_id = :of RETURNING national_id"
        ),
        {"space": space, "address": box.address, "of": of},
    )
    if gone.one_or_none() is None:
        raise DomainError(
            Category.NOT_FOUND, "delegate_unknown", "This professional has no delegation here."
        )


async def set_state(
    session: WriteSession,
    space: str,
    address: str,
    *,
    active: bool,
    quota_bytes: int | None,
) -> None:
    """A closed mailbox is opened by nobody and takes no mail; what lies in it stays."""
    await session.execute(
        text(
            "UPDATE mss.mailbox SET active = :active, quota_bytes = :quota"
            " WHERE space = :space AND address = :address"
        ),
        {"space": space, "address": address, "active": active, "quota": quota_bytes},
    )


async def used_bytes(session: AsyncSession, space: str, address: str) -> int:
    """Of all folders; a message that lies in two counts twice, as it does for IMAP."""
    found = await session.execute(
        text(
            "SELECT coalesce(sum(m.size), 0) FROM mss.item i"
            " JOIN mss.folder f ON f.id = i.folder JOIN mss.message m ON m.id = i.message"
            " WHERE f.space = :space AND f.address = :address"
        ),
        {"space": space, "address": address},
    )
    return int(found.scalar_one())


async def is_full(session: AsyncSession, space: str, box: Mailbox, size: int = 0) -> bool:
    """Whether `size` more bytes would be too many."""
    if box.quota_bytes is None:
        return False
    return await used_bytes(session, space, box.address) + size > box.quota_bytes


async def require_room(session: AsyncSession, space: str, boxes: Sequence[Mailbox]) -> None:
    """After the deliveries, whose locks keep rivals out until the commit."""
    for box in boxes:
        if await is_full(session, space, box):
            raise DomainError(
                Category.TOO_LARGE, "mailbox_full", "A recipient's mailbox is over its quota."
            )


def require_open(boxes: Sequence[Mailbox]) -> None:
    if not all(box.active for box in boxes):
        raise DomainError(Category.GONE, "mailbox_closed", "A mailbox has been closed.")
