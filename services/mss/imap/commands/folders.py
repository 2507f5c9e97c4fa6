"""Folders: listing, selecting, making and removing them (RFC 3501 §6.3)."""

import re
from typing import TYPE_CHECKING

from services.mss.imap import store, wire
from services.mss.imap.errors import Bad, No
from services.mss.imap.selected import Selected

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

DELIMITER = "/"
MAX_NAME = 200
MAX_FOLDERS = 500
FLAGS = r"(\Answered \Flagged \Deleted \Seen \Draft)"


async def list_(connection: "Connection", parser: "Parser") -> str:
    """With RETURN (…) of RFC 5258 accepted: special uses are always shown."""
    return await _list(connection, parser, "LIST")


async def lsub(connection: "Connection", parser: "Parser") -> str:
    """Every folder is subscribed."""
    return await _list(connection, parser, "LSUB")


async def _list(connection: "Connection", parser: "Parser", name: str) -> str:
    parser.space()
    reference = parser.mailbox()
    parser.space()
    pattern = parser.list_mailbox()
    if not pattern:  # asks for the delimiter
        connection.untagged(f'{name} (\\Noselect) "{DELIMITER}" ""'.encode())
        return f"{name} completed"
    wanted = _pattern(reference + pattern)
    folders = await _folders(connection)
    for folder in folders:
        if not wanted.fullmatch(folder.name):
            continue
        inside = any(other.name.startswith(folder.name + DELIMITER) for other in folders)
        attributes = [r"\HasChildren" if inside else r"\HasNoChildren"]
        attributes += [folder.special_use] if folder.special_use else []
        line = f'{name} ({" ".join(attributes)}) "{DELIMITER}" '.encode()
        connection.untagged(line + wire.string(folder.name.encode()))
    return f"{name} completed"


def _pattern(text: str) -> "re.Pattern[str]":
    """`*` is anything, `%` anything without the delimiter; runs are merged, or they would
    make the expression slow."""
    merged = re.sub(r"[*%]*\*[*%]*", "*", re.sub(r"%+", "%", text))
    parts = {"*": ".*", "%": f"[^{DELIMITER}]*"}
    expression = "".join(parts.get(letter, re.escape(letter)) for letter in merged)
    return re.compile(expression, re.IGNORECASE if text.upper() == "INBOX" else 0)


async def subscribe(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    await find(connection, parser.mailbox())
    return "SUBSCRIBE completed"


async def unsubscribe(_connection: "Connection", _parser: "Parser") -> str:
    raise No("every folder is subscribed here", "CANNOT")


async def status(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    folder = await find(connection, parser.mailbox())
    parser.expect(b" (")
    names = [parser.keyword()]
    while not parser.take(b")"):
        parser.space()
        names.append(parser.keyword())
    async with connection.database.read() as session:
        items = await store.list_items(session, connection.space, folder.id)
    values = {
        "MESSAGES": len(items),
        "RECENT": 0,
        "UIDNEXT": folder.uid_next,
        "UIDVALIDITY": folder.uid_validity,
        "UNSEEN": sum("\\Seen" not in flags for _, flags in items),
    }
    if unknown := set(names) - values.keys():
        raise Bad(f"STATUS knows no {', '.join(sorted(unknown))}")
    shown = " ".join(f"{name} {values[name]}" for name in names)
    connection.untagged(b"STATUS " + wire.string(folder.name.encode()) + f" ({shown})".encode())
    return "STATUS completed"


async def select(connection: "Connection", parser: "Parser") -> str:
    await _open(connection, parser, read_only=False)
    return "[READ-WRITE] SELECT completed"


async def examine(connection: "Connection", parser: "Parser") -> str:
    await _open(connection, parser, read_only=True)
    return "[READ-ONLY] EXAMINE completed"


async def _open(connection: "Connection", parser: "Parser", *, read_only: bool) -> None:
    parser.space()
    name = parser.mailbox()
    parser.end()
    connection.selected = None  # even where the new one cannot be opened (RFC 3501 §6.3.1)
    folder = await find(connection, name)
    selected = Selected(connection.space, folder, read_only)
    await selected.load(connection.database)
    connection.selected = selected
    permanent = "()" if read_only else FLAGS[:-1] + r" \*)"
    unseen = next((u for u, flags in selected.flags.items() if "\\Seen" not in flags), None)
    connection.untagged(f"FLAGS {FLAGS}".encode())
    connection.untagged(f"OK [PERMANENTFLAGS {permanent}] what can be kept".encode())
    connection.untagged(b"%d EXISTS" % len(selected.uids))
    connection.untagged(b"0 RECENT")
    if unseen is not None:
        connection.untagged(f"OK [UNSEEN {selected.number_of(unseen)}] first unseen".encode())
    connection.untagged(f"OK [UIDVALIDITY {folder.uid_validity}] UIDs are valid".encode())
    next_uid = max(folder.uid_next, (selected.uids or [0])[-1] + 1)
    connection.untagged(f"OK [UIDNEXT {next_uid}] next UID".encode())


async def check(_connection: "Connection", parser: "Parser") -> str:
    parser.end()
    return "CHECK completed"


async def close(connection: "Connection", parser: "Parser") -> str:
    """Expunges silently, then leaves the folder."""
    parser.end()
    selected = connection.require_selected()
    if not selected.read_only:
        async with connection.database.write() as session:
            await store.delete(
                session, connection.space, selected.folder.id, selected.uids, flagged=True
            )
    connection.selected = None
    return "CLOSE completed"


async def unselect(connection: "Connection", parser: "Parser") -> str:
    parser.end()
    connection.selected = None
    return "UNSELECT completed"


async def create(connection: "Connection", parser: "Parser") -> str:
    name = _new_name(parser)
    if len(await _folders(connection)) >= MAX_FOLDERS:
        raise No(f"a mailbox holds {MAX_FOLDERS} folders at most", "LIMIT")
    async with connection.database.write() as session:
        made = await store.create_folder(session, connection.space, connection.address, name)
    if not made:
        raise No("there is such a folder", "ALREADYEXISTS")
    return "CREATE completed"


async def delete(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    folder = await _ordinary(connection, parser.mailbox())
    parser.end()
    async with connection.database.write() as session:
        await store.delete_folder(session, connection.space, folder.id)
    if connection.selected is not None and connection.selected.folder.id == folder.id:
        connection.selected = None
    return "DELETE completed"


async def rename(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    folder = await _ordinary(connection, parser.mailbox())
    name = _new_name(parser)
    folders = await _folders(connection)
    if any(other.name == name for other in folders):
        raise No("there is such a folder", "ALREADYEXISTS")
    inside = [f for f in folders if f.name.startswith(folder.name + DELIMITER)]
    async with connection.database.write() as session:
        for each in (folder, *inside):
            new = name + each.name[len(folder.name) :]
            await store.rename_folder(session, connection.space, each.id, new)
    return "RENAME completed"


def _new_name(parser: "Parser") -> str:
    parser.space()
    name = parser.mailbox().rstrip(DELIMITER)
    parser.end()
    if not name or len(name) > MAX_NAME or not name.isprintable() or set(name) & {"*", "%"}:
        raise No(f"a folder's name has 1 to {MAX_NAME} characters, none of them * or %", "CANNOT")
    return name


async def _ordinary(connection: "Connection", name: str) -> store.Folder:
    folder = await find(connection, name)
    if folder.name == "INBOX" or folder.special_use:
        raise No("this folder belongs to the mailbox", "CANNOT")
    return folder


async def find(connection: "Connection", name: str, code: str = "NONEXISTENT") -> store.Folder:
    for folder in await _folders(connection):
        if folder.name == name:
            return folder
    raise No("there is no such folder", code)


async def _folders(connection: "Connection") -> list[store.Folder]:
    async with connection.database.read() as session:
        return await store.list_folders(session, connection.space, connection.address)
