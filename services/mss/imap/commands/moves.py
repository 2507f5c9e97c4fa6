"""COPY, MOVE and EXPUNGE (RFC 3501 §6.4.3, §6.4.7; RFC 6851; UIDPLUS, RFC 4315)."""

from typing import TYPE_CHECKING

from services.mss.imap import store as sql
from services.mss.imap.commands.folders import find
from services.mss.imap.commands.quota import require_room
from services.mss.imap.sequences import compact

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser


async def copy(connection: "Connection", parser: "Parser") -> str:
    code = await _copy(connection, parser, by_uid=False, move=False)
    return f"{code}COPY completed"


async def uid_copy(connection: "Connection", parser: "Parser") -> str:
    code = await _copy(connection, parser, by_uid=True, move=False)
    return f"{code}COPY completed"


async def move(connection: "Connection", parser: "Parser") -> str:
    await _move(connection, parser, by_uid=False)
    return "MOVE completed"


async def uid_move(connection: "Connection", parser: "Parser") -> str:
    await _move(connection, parser, by_uid=True)
    return "MOVE completed"


async def _move(connection: "Connection", parser: "Parser", *, by_uid: bool) -> None:
    """COPYUID comes before the EXPUNGE lines, which the end of the command tells."""
    connection.require_selected().require_writable()
    code = await _copy(connection, parser, by_uid=by_uid, move=True)
    if code:
        connection.untagged(f"OK {code}moved".encode())


async def _copy(connection: "Connection", parser: "Parser", *, by_uid: bool, move: bool) -> str:
    """All of them or none, in one transaction; gives the COPYUID code."""
    parser.space()
    sequence = parser.sequence()
    parser.space()
    name = parser.mailbox()
    parser.end()
    selected = connection.require_selected()
    target = await find(connection, name, "TRYCREATE")
    uids = selected.chosen(sequence, by_uid=by_uid)
    source = selected.folder.id
    async with connection.database.write() as session:
        old, new = await sql.copy(session, connection.space, source, target.id, uids)
        if move and old:
            await sql.delete(session, connection.space, source, old, flagged=False)
        elif old:
            await require_room(connection, session)
    if not old:
        return ""
    return f"[COPYUID {target.uid_validity} {compact(old)} {compact(new)}] "


async def expunge(connection: "Connection", parser: "Parser") -> str:
    parser.end()
    await _expunge(connection, connection.require_selected().uids)
    return "EXPUNGE completed"


async def uid_expunge(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    sequence = parser.sequence()
    parser.end()
    await _expunge(connection, connection.require_selected().chosen(sequence, by_uid=True))
    return "UID EXPUNGE completed"


async def _expunge(connection: "Connection", uids: list[int]) -> None:
    selected = connection.require_selected()
    selected.require_writable()
    async with connection.database.write() as session:
        await sql.delete(session, connection.space, selected.folder.id, uids, flagged=True)
