"""QUOTA (RFC 9208): one root for the whole mailbox, the empty name, with the resource STORAGE."""

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from services.mss import access, repository
from services.mss.imap import wire
from services.mss.imap.commands.folders import find
from services.mss.imap.errors import No

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

UNIT = 1024  # RFC 9208 §5.1: of STORAGE


async def get_quota(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    root = parser.astring()
    parser.end()
    if root:
        raise No("the only quota root has the empty name", "NONEXISTENT")
    await _tell(connection)
    return "GETQUOTA completed"


async def get_quota_root(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    folder = await find(connection, parser.mailbox())
    parser.end()
    connection.untagged(b"QUOTAROOT " + wire.string(folder.name.encode()) + b' ""')
    await _tell(connection)
    return "GETQUOTAROOT completed"


async def set_quota(_connection: "Connection", _parser: "Parser") -> str:
    raise No("the operator sets quotas: PATCH /_sandbox/mss/mailboxes/{address}", "NOPERM")


async def _tell(connection: "Connection") -> None:
    """Without a quota there is a root that limits nothing (RFC 9208 §4.2.1)."""
    async with connection.database.read() as session:
        boxes = await repository.get_mailboxes(session, connection.space, [connection.address])
        box = boxes.get(connection.address)
        used = await access.used_bytes(session, connection.space, connection.address)
    limits = ""
    if box is not None and box.quota_bytes is not None:
        limits = f"STORAGE {-(-used // UNIT)} {box.quota_bytes // UNIT}"
    connection.untagged(f'QUOTA "" ({limits})'.encode())


async def require_room(connection: "Connection", session: AsyncSession) -> None:
    """Within the transaction that files: refused, nothing of it stays."""
    boxes = await repository.get_mailboxes(session, connection.space, [connection.address])
    box = boxes.get(connection.address)
    if box is not None and await access.is_full(session, connection.space, box):
        raise No("the mailbox is over its quota", "OVERQUOTA")
