"""SQL of mailboxes and of submitted messages; what IMAP asks is in imap/store.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.mailboxes import FOLDERS, Mailbox
from socle.db.database import Database, WriteSession
from socle.db.failures import telling_away
from socle.idgen import uuid7

CHANNEL = "socle_mss_folder"
"""NOTIFY with a folder's id wakes whoever looks at it (changes.py)."""


async def insert_mailbox(
    session: WriteSession, space: str, mailbox: Mailbox, owners: Sequence[str]
) -> bool:
    """False, and nothing changed, where the address is taken."""
    made = await session.execute(
        text(
            "INSERT INTO mss.mailbox (space, address, kind, label, structure)"
            " VALUES (:space, :address, :kind, :label, :structure)"
            " ON CONFLICT DO NOTHING RETURNING address"
        ),
        {
            "space": space,
            "address": mailbox.address,
            "kind": mailbox.kind,
            "label": mailbox.label,
            "structure": mailbox.structure,
        },
    )
    if made.one_or_none() is None:
        return False
    key = {"space": space, "address": mailbox.address}
    if owners:
        await session.execute(
            text("INSERT INTO mss.mailbox_owner VALUES (:space, :address, :owner)"),
            [{**key, "owner": owner} for owner in dict.fromkeys(owners)],
        )
    await session.execute(
        text(
            "INSERT INTO mss.folder (space, address, name, special_use)"
            " VALUES (:space, :address, :name, :use)"
        ),
        [{**key, "name": name, "use": use} for name, use in FOLDERS.items()],
    )
    return True


_OF_OWNER = (
    "SELECT m.address, m.kind, m.label, m.structure, a.rights, m.active, m.quota_bytes"
    " FROM mss.mailbox m JOIN mss.mailbox_access a USING (space, address)"
    " WHERE m.space = {} AND a.national_id = {}"
    " ORDER BY array_position(ARRAY['PER', 'CAB', 'ORG', 'APP'], m.kind), m.address"
)


async def list_mailboxes(session: AsyncSession, space: str, owner: str) -> list[Mailbox]:
    """Those that a professional may open, of their own or by delegation; none that is closed."""
    rows = await session.execute(
        text(_OF_OWNER.format(":space", ":owner")), {"space": space, "owner": owner}
    )
    return [Mailbox(*row) for row in rows]


async def fetch_mailboxes(database: Database, space: str, owner: str) -> list[Mailbox]:
    """As `list_mailboxes`, for the login of each connection: a sixth of the time of a session."""
    with telling_away():
        rows = await database.fetch(_OF_OWNER.format("$1", "$2"), space, owner)
    return [Mailbox(*row) for row in rows]


async def get_mailboxes(
    session: AsyncSession, space: str, addresses: Sequence[str]
) -> dict[str, Mailbox]:
    """Those of professionals that exist, by address."""
    rows = await session.execute(
        text(
            "SELECT address, kind, label, structure, 'owner', active, quota_bytes FROM mss.mailbox"
            " WHERE space = :space AND address = ANY(:addresses) AND kind <> 'PATIENT'"
        ),
        {"space": space, "addresses": list(addresses)},
    )
    return {row.address: Mailbox(*row) for row in rows}


async def insert_body(session: WriteSession, space: str, sha256: bytes, content: bytes) -> None:
    """Held until the transaction ends: a purge that is removing these bytes is waited for, and one
    that comes later leaves them."""
    values = {"space": space, "sha256": sha256}
    held = None
    while held is None:
        await session.execute(
            text("INSERT INTO mss.body VALUES (:space, :sha256, :content) ON CONFLICT DO NOTHING"),
            {**values, "content": content},
        )
        found = await session.execute(
            text("SELECT 1 FROM mss.body WHERE space = :space AND sha256 = :sha256 FOR KEY SHARE"),
            values,
        )
        held = found.scalar()


async def insert_message(
    session: WriteSession,
    space: str,
    *,
    sha256: bytes,
    size: int,
    header: bytes,
    sender: str | None,
    message_id: str,
    accepted_at: datetime,
) -> tuple[UUID, bool]:
    """The message and whether it is new. A rival with the same one waits for the first to end."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "space": space,
        "sha256": sha256,
        "size": size,
        "header": header,
        "sender": sender,
        "message_id": message_id,
        "accepted_at": accepted_at,
    }
    made = await session.execute(
        text(
            "INSERT INTO mss.message (id, space, sha256, size, header, sender, message_id, accepted_at)"
            " VALUES (:id, :space, :sha256, :size, :header, :sender, :message_id, :accepted_at)"
            " ON CONFLICT (space, sender, message_id, sha256)"
            " WHERE sender IS NOT NULL AND message_id <> '' DO NOTHING RETURNING id"
        ),
        values,
    )
    if made.one_or_none() is not None:
        return values["id"], True
    found = await session.execute(
        text(
            "SELECT id FROM mss.message WHERE space = :space AND sender = :sender"
            " AND message_id = :message_id AND sha256 = :sha256"
        ),
        values,
    )
    return found.scalar_one(), False


async def insert_recipients(
    session: WriteSession, space: str, message: UUID, addresses: Sequence[str]
) -> list[str]:
    """Those to whom this message had not been delivered yet, in a fixed order."""
    rows = await session.execute(
        text(
            "INSERT INTO mss.recipient SELECT :space, :message, unnest(CAST(:addresses AS text[]))"
            " ON CONFLICT DO NOTHING RETURNING address"
        ),
        {"space": space, "message": message, "addresses": sorted(set(addresses))},
    )
    return sorted(row.address for row in rows)


async def deliver(
    session: WriteSession,
    space: str,
    address: str,
    message: UUID,
    at: datetime,
    name: str = "INBOX",
) -> None:
    """Into a folder, seen already in another than INBOX. The row lock makes UIDs grow in the order of
    the commits: whoever delivers to several addresses goes through them sorted."""
    row = (
        await session.execute(
            text(
                "UPDATE mss.folder SET uid_next = uid_next + 1, version = version + 1"
                " WHERE space = :space AND address = :address AND name = :name"
                " RETURNING id, uid_next - 1 AS uid"
            ),
            {"space": space, "address": address, "name": name},
        )
    ).one()
    await session.execute(
        text(
            "INSERT INTO mss.item (folder, uid, space, message, flags, internal_date)"
            " VALUES (:folder, :uid, :space, :message, :flags, :at)"
        ),
        {
            "folder": row.id,
            "uid": row.uid,
            "space": space,
            "message": message,
            "flags": [] if name == "INBOX" else ["\\Seen"],
            "at": at,
        },
    )
    await notify(session, row.id)


async def find_submitted(
    session: AsyncSession, space: str, message_id: str, senders: Sequence[str]
) -> tuple[UUID, str] | None:
    """The newest message with this Message-ID that one of these addresses wrote, and who wrote it."""
    found = await session.execute(
        text(
            "SELECT id, sender FROM mss.message WHERE space = :space AND message_id = :message_id"
            " AND sender = ANY(:senders) ORDER BY id DESC LIMIT 1"
        ),
        {"space": space, "message_id": message_id, "senders": list(senders)},
    )
    row = found.one_or_none()
    return None if row is None else (row.id, row.sender)


async def notify(session: WriteSession, folder: int) -> None:
    await session.execute(
        text("SELECT pg_notify(:channel, :folder)"), {"channel": CHANNEL, "folder": str(folder)}
    )


@dataclass(frozen=True, slots=True)
class Listed:
    id: UUID
    uid: int
    size: int
    seen: bool
    received_at: datetime
    header: bytes


async def inbox_of(session: AsyncSession, space: str, address: str) -> int:
    found = await session.execute(
        text(
            "SELECT id FROM mss.folder WHERE space = :space AND address = :address AND name = 'INBOX'"
        ),
        {"space": space, "address": address},
    )
    folder: int = found.scalar_one()
    return folder


async def list_messages(
    session: AsyncSession, space: str, folder: int, after: int, limit: int
) -> list[Listed]:
    rows = await session.execute(
        text(
            "SELECT m.id, i.uid, m.size, i.flags, i.internal_date, m.header FROM mss.item i"
            " JOIN mss.message m ON m.id = i.message"
            " WHERE i.space = :space AND i.folder = :folder AND i.uid > :after"
            " ORDER BY i.uid LIMIT :limit"
        ),
        {"space": space, "folder": folder, "after": after, "limit": limit},
    )
    return [
        Listed(r.id, r.uid, r.size, "\\Seen" in r.flags, r.internal_date, bytes(r.header))
        for r in rows
    ]


async def get_content(session: AsyncSession, space: str, message: UUID, owner: str) -> bytes | None:
    """The message, if it lies in a folder of one of the caller's mailboxes."""
    found = await session.execute(
        text(
            "SELECT b.content FROM mss.message m JOIN mss.body b USING (space, sha256)"
            " WHERE m.space = :space AND m.id = :message AND EXISTS ("
            "  SELECT FROM mss.item i JOIN mss.folder f ON f.id = i.folder"
            "  JOIN mss.mailbox_access a ON a.space = f.space AND a.address = f.address"
            "  WHERE i.message = m.id AND a.national_id = :owner AND f.space = :space)"
        ),
        {"space": space, "message": message, "owner": owner},
    )
    content = found.scalar_one_or_none()
    return None if content is None else bytes(content)


async def get_received(
    session: AsyncSession, space: str, address: str, message: UUID
) -> tuple[bytes, str] | None:
    """A message that lies in this mailbox, and the sender of its envelope."""
    found = await session.execute(
        text(
            "SELECT b.content, m.sender FROM mss.message m JOIN mss.body b USING (space, sha256)"
            " WHERE m.space = :space AND m.id = :message AND m.sender IS NOT NULL AND EXISTS ("
            "  SELECT FROM mss.item i JOIN mss.folder f ON f.id = i.folder"
            "  WHERE i.message = m.id AND f.space = :space AND f.address = :address)"
        ),
        {"space": space, "address": address, "message": message},
    )
    row = found.one_or_none()
    return None if row is None else (bytes(row.content), row.sender)
