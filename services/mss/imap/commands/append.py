"""APPEND (RFC 3501 §6.3.11): a client files its own copy, in Sent or Drafts for instance."""

from typing import TYPE_CHECKING

from services.mss.imap import store as sql
from services.mss.imap.commands.folders import find
from services.mss.imap.commands.quota import require_room
from services.mss.imap.errors import Bad, No

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser


async def append(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    name = parser.mailbox()
    parser.space()
    flags: list[str] = []
    if parser.peek() == b"(":
        flags = parser.flags()
        parser.space()
    date = None
    if parser.peek() == b'"':
        date = parser.date_time()
        parser.space()
    content = parser.literal()
    parser.end()
    if not content:
        raise Bad("an empty message cannot be stored")
    if len(content) > connection.settings.mss_max_message_bytes:
        raise No("the message is over the size limit", "TOOBIG")
    folder = await find(connection, name, "TRYCREATE")
    now = (await connection.kernel.spaces.get(connection.space)).now()
    async with connection.database.write() as session:
        uid = await sql.append(
            session, connection.space, folder.id, content, flags, date or now, now
        )
        await require_room(connection, session)
    return f"[APPENDUID {folder.uid_validity} {uid}] APPEND completed"
