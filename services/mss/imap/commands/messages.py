"""FETCH and STORE (RFC 3501 §6.4.5, §6.4.6)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from services.mss.imap import store as sql
from services.mss.imap import wire
from services.mss.imap.fetch_items import Item, parse_items, render

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

BATCH_HEADERS = 200
BATCH_CONTENT = 1
"""Messages are as large as 25 MB: one at a time is in memory."""
FLUSH_BYTES = 65_536


async def fetch(connection: "Connection", parser: "Parser") -> str:
    return await _fetch(connection, parser, by_uid=False)


async def uid_fetch(connection: "Connection", parser: "Parser") -> str:
    return await _fetch(connection, parser, by_uid=True)


async def _fetch(connection: "Connection", parser: "Parser", *, by_uid: bool) -> str:
    parser.space()
    sequence = parser.sequence()
    parser.space()
    items = parse_items(parser)
    parser.end()
    if by_uid and not any(item.name == "UID" for item in items):
        items.insert(0, Item("UID", b"UID"))
    selected = connection.require_selected()
    uids = selected.chosen(sequence, by_uid=by_uid)
    if any(item.sets_seen for item in items) and not selected.read_only:
        await _mark_seen(connection, uids)
        if not any(item.name == "FLAGS" for item in items):
            items.append(Item("FLAGS", b"FLAGS"))  # the client is told of the new flag
    content = any(item.needs_content for item in items)
    for batch in _batches(uids, BATCH_CONTENT if content else BATCH_HEADERS):
        async with connection.database.read() as session:
            found = await sql.fetch(
                session, connection.space, selected.folder.id, batch, content=content
            )
        for message in found:
            shown = replace(message, flags=selected.shown(message.uid, message.flags))
            await _tell(connection, selected.number_of(message.uid), render(items, shown))
            if any(item.name == "FLAGS" for item in items):
                selected.flags[message.uid] = tuple(message.flags)
        await connection.drain()
    return "FETCH completed"


async def _tell(connection: "Connection", number: int, pieces: Iterator[bytes]) -> None:
    """Written as it is rendered, and no further than the client reads."""
    waiting = bytearray(b"* %d FETCH " % number)
    for piece in pieces:
        waiting += piece
        if len(waiting) > FLUSH_BYTES:
            connection.write(bytes(waiting))
            await connection.drain()
            waiting.clear()
    connection.write(bytes(waiting) + b"\r\n")


async def _mark_seen(connection: "Connection", uids: list[int]) -> None:
    selected = connection.require_selected()
    unseen = [uid for uid in uids if "\\Seen" not in selected.flags[uid]]
    if unseen:
        async with connection.database.write() as session:
            await sql.store_flags(
                session, connection.space, selected.folder.id, unseen, "add", ["\\Seen"]
            )


async def store(connection: "Connection", parser: "Parser") -> str:
    return await _store(connection, parser, by_uid=False)


async def uid_store(connection: "Connection", parser: "Parser") -> str:
    return await _store(connection, parser, by_uid=True)


async def _store(connection: "Connection", parser: "Parser", *, by_uid: bool) -> str:
    parser.space()
    sequence = parser.sequence()
    parser.space()
    mode: Literal["set", "add", "remove"] = "set"
    if parser.take(b"+"):
        mode = "add"
    elif parser.take(b"-"):
        mode = "remove"
    parser.expect(b"FLAGS")
    silent = parser.take(b".SILENT")
    parser.space()
    flags = parser.flags()
    parser.end()
    selected = connection.require_selected()
    selected.require_writable()
    uids = selected.chosen(sequence, by_uid=by_uid)
    async with connection.database.write() as session:
        changed = await sql.store_flags(
            session, connection.space, selected.folder.id, uids, mode, flags
        )
    for uid in uids:
        if uid not in changed:
            continue
        selected.flags[uid] = tuple(changed[uid])
        if not silent:
            prefix = b"UID %d " % uid if by_uid else b""
            shown = prefix + b"FLAGS " + wire.flags(selected.shown(uid, changed[uid]))
            connection.untagged(b"%d FETCH (%s)" % (selected.number_of(uid), shown))
    return "STORE completed"


def _batches(uids: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(uids), size):
        yield uids[start : start + size]
