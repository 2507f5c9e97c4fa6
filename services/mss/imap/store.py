"""SQL of the IMAP server. Every statement is bound to a space and a mailbox's folder."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.headers import read_facts, split_header
from services.mss.imap.errors import No
from services.mss.imap.fetch_items import Fetched
from services.mss.repository import insert_body, insert_message, notify
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    name: str
    special_use: str
    uid_validity: int
    uid_next: int
    version: int
    subscribed: bool
    recent_from: int
    """The first UID of which no session was told yet."""


async def list_folders(session: AsyncSession, space: str, address: str) -> list[Folder]:
    rows = await session.execute(
        text(
            "SELECT id, name, special_use, uid_validity, uid_next, version, subscribed,"
            " recent_from"
            " FROM mss.folder"
            " WHERE space = :space AND address = :address ORDER BY name <> 'INBOX', name"
        ),
        {"space": space, "address": address},
    )
    return [Folder(*row) for row in rows]


async def get_folder(session: AsyncSession, space: str, address: str, name: str) -> Folder | None:
    return next((f for f in await list_folders(session, space, address) if f.name == name), None)


async def get_version(session: AsyncSession, space: str, folder: int) -> int | None:
    """Changes whenever the folder does; None once the folder is gone."""
    found = await session.execute(
        text("SELECT version FROM mss.folder WHERE space = :space AND id = :folder"),
        {"space": space, "folder": folder},
    )
    version: int | None = found.scalar_one_or_none()
    return version


async def list_items(
    session: AsyncSession, space: str, folder: int
) -> list[tuple[int, tuple[str, ...]]]:
    """UID and flags, by growing UID."""
    rows = await session.execute(
        text(
            "SELECT uid, flags FROM mss.item WHERE space = :space AND folder = :folder ORDER BY uid"
        ),
        {"space": space, "folder": folder},
    )
    return [(row.uid, tuple(row.flags)) for row in rows]


async def claim_recent(session: WriteSession, space: str, folder: int) -> tuple[int, int] | None:
    """The UIDs, from and to, that are \\Recent for the session which asks: it is the first that is told
    (RFC 3501 §2.3.2)."""
    found = await session.execute(
        text(
            "WITH before AS (SELECT recent_from FROM mss.folder WHERE space = :space AND id = :folder"
            " AND recent_from < uid_next FOR UPDATE)"
            " UPDATE mss.folder AS f SET recent_from = f.uid_next FROM before"
            " WHERE f.space = :space AND f.id = :folder"
            " RETURNING before.recent_from, f.uid_next"
        ),
        {"space": space, "folder": folder},
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def fetch(
    session: AsyncSession, space: str, folder: int, uids: Sequence[int], *, content: bool
) -> list[Fetched]:
    column, join = (
        ("b.content", "JOIN mss.body b ON b.space = m.space AND b.sha256 = m.sha256")
        if content
        else ("NULL", "")
    )
    rows = await session.execute(
        text(
            f"SELECT i.uid, i.flags, i.internal_date, m.size, m.header, {column} AS content"
            f" FROM mss.item i JOIN mss.message m ON m.id = i.message AND m.space = i.space"
            f" {join}"
            " WHERE i.space = :space AND i.folder = :folder AND i.uid = ANY(:uids) ORDER BY i.uid"
        ),
        {"space": space, "folder": folder, "uids": list(uids)},
    )
    return [
        Fetched(
            r.uid,
            list(r.flags),
            r.internal_date,
            r.size,
            bytes(r.header),
            None if r.content is None else bytes(r.content),
        )
        for r in rows
    ]


async def store_flags(
    session: WriteSession,
    space: str,
    folder: int,
    uids: Sequence[int],
    mode: Literal["set", "add", "remove"],
    flags: Sequence[str],
) -> dict[int, list[str]]:
    """The flags of each message that is still there."""
    await _touch(session, space, folder)
    new = {
        "set": "CAST(:flags AS text[])",
        "add": "ARRAY(SELECT DISTINCT unnest(flags || CAST(:flags AS text[])))",
        "remove": "ARRAY(SELECT unnest(flags) EXCEPT SELECT unnest(CAST(:flags AS text[])))",
    }[mode]
    rows = await session.execute(
        text(
            f"UPDATE mss.item SET flags = {new} WHERE space = :space AND folder = :folder"
            " AND uid = ANY(:uids) RETURNING uid, flags"
        ),
        {"space": space, "folder": folder, "uids": list(uids), "flags": list(flags)},
    )
    return {row.uid: list(row.flags) for row in rows}


async def copy(
    session: WriteSession, space: str, source: int, target: int, uids: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Source and target UIDs. Folders are locked by id, so crossing copies cannot deadlock."""
    await session.execute(
        text(
            "SELECT id FROM mss.folder WHERE space = :space AND id IN (:source, :target)"
            " ORDER BY id FOR UPDATE"
        ),
        {"space": space, "source": source, "target": target},
    )
    wanted = set(uids)
    found = [uid for uid, _ in await list_items(session, space, source) if uid in wanted]
    if not found:
        return [], []
    first = await _take_uids(session, space, target, len(found))
    await session.execute(
        text(
            "INSERT INTO mss.item (folder, uid, space, message, flags, internal_date)"
            " SELECT :target, :first + row_number() OVER (ORDER BY uid) - 1,"
            " space, message, flags, internal_date FROM mss.item"
            " WHERE space = :space AND folder = :source AND uid = ANY(:uids)"
        ),
        {"space": space, "source": source, "target": target, "first": first, "uids": found},
    )
    return found, list(range(first, first + len(found)))


async def delete(
    session: WriteSession, space: str, folder: int, uids: Sequence[int], *, flagged: bool
) -> None:
    """Removes messages from a folder; with `flagged`, those marked \\Deleted only."""
    await _touch(session, space, folder)
    condition = " AND :mark = ANY(flags)" if flagged else ""
    await session.execute(
        text(
            "DELETE FROM mss.item WHERE space = :space AND folder = :folder AND uid = ANY(:uids)"
            + condition
        ),
        {
            "space": space,
            "folder": folder,
            "uids": list(uids),
            **({"mark": "\\Deleted"} if flagged else {}),
        },
    )


async def append(
    session: WriteSession,
    space: str,
    folder: int,
    content: bytes,
    flags: Sequence[str],
    internal_date: datetime,
    now: datetime,
) -> int:
    """Stores a message that its owner files: nobody is told, it was not sent."""
    sha256, header = hashlib.sha256(content).digest(), content[: split_header(content)]
    await insert_body(session, space, sha256, content)
    message, _ = await insert_message(
        session,
        space,
        sha256=sha256,
        size=len(content),
        header=header,
        sender=None,
        message_id=read_facts(header).message_id,
        accepted_at=now,
    )
    uid = await _take_uids(session, space, folder, 1)
    await session.execute(
        text("INSERT INTO mss.item VALUES (:folder, :uid, :space, :message, :flags, :at)"),
        {
            "folder": folder,
            "uid": uid,
            "space": space,
            "message": message,
            "flags": list(flags),
            "at": internal_date,
        },
    )
    return uid


async def create_folder(session: WriteSession, space: str, address: str, name: str) -> bool:
    made = await session.execute(
        text(
            "INSERT INTO mss.folder (space, address, name) VALUES (:space, :address, :name)"
            " ON CONFLICT DO NOTHING RETURNING id"
        ),
        {"space": space, "address": address, "name": name},
    )
    return made.one_or_none() is not None


async def delete_folder(session: WriteSession, space: str, folder: int) -> None:
    await notify(session, folder)
    await session.execute(
        text("DELETE FROM mss.folder WHERE space = :space AND id = :folder"),
        {"space": space, "folder": folder},
    )


async def rename_folder(session: WriteSession, space: str, folder: int, name: str) -> None:
    await session.execute(
        text("UPDATE mss.folder SET name = :name WHERE space = :space AND id = :folder"),
        {"space": space, "folder": folder, "name": name},
    )


async def subscribe(session: WriteSession, space: str, folder: int, *, wanted: bool) -> None:
    await session.execute(
        text("UPDATE mss.folder SET subscribed = :wanted WHERE space = :space AND id = :folder"),
        {"space": space, "folder": folder, "wanted": wanted},
    )


async def _take_uids(session: WriteSession, space: str, folder: int, count: int) -> int:
    """The first of `count` UIDs; the row lock makes them grow in the order of the commits."""
    found = await session.execute(
        text(
            "UPDATE mss.folder SET uid_next = uid_next + :count, version = version + 1"
            " WHERE space = :space AND id = :folder RETURNING uid_next - :count"
        ),
        {"space": space, "folder": folder, "count": count},
    )
    first: int | None = found.scalar_one_or_none()
    if first is None:
        raise No("the folder has been deleted", "TRYCREATE")
    await notify(session, folder)
    return first


async def _touch(session: WriteSession, space: str, folder: int) -> None:
    await session.execute(
        text("UPDATE mss.folder SET version = version + 1 WHERE space = :space AND id = :folder"),
        {"space": space, "folder": folder},
    )
    await notify(session, folder)
