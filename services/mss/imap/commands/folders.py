"""Folders: listing, selecting, making and removing them (RFC 3501 §6.3)."""

import re
from typing import TYPE_CHECKING

from services.mss import service
from services.mss.imap import store, wire
from services.mss.imap.errors import Bad, No
from services.mss.imap.names import DELIMITER, MAX_NAME, is_folder_name, missing_parents
from services.mss.imap.selected import Selected

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

MAX_FOLDERS = 500
FLAGS = r"(\Answered \Flagged \Deleted \Seen \Draft)"


async def list_(connection: "Connection", parser: "Parser") -> str:
    """With RETURN (…) of RFC 5258 accepted: special uses are always shown."""
    return await _list(connection, parser, "LIST")


async def lsub(connection: "Connection", parser: "Parser") -> str:
    """Every folder is subscribed until a client says otherwise."""
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
    shown = {f.name: f.special_use for f in folders if name == "LIST" or f.subscribed}
    if name == "LIST" or pattern.endswith("%"):  # RFC 3501 §6.3.9: of LSUB only then
        shown |= dict.fromkeys(missing_parents(shown), r"\Noselect")
    for folder, attribute in shown.items():
        if not wanted.fullmatch(folder):
            continue
        inside = any(other.name.startswith(folder + DELIMITER) for other in folders)
        attributes = [r"\HasChildren" if inside else r"\HasNoChildren"]
        attributes += [attribute] if attribute else []
        line = f'{name} ({" ".join(attributes)}) "{DELIMITER}" '.encode()
        connection.untagged(line + wire.string(folder.encode()))
    return f"{name} completed"


def _pattern(text: str) -> "re.Pattern[str]":
    """`*` is anything, `%` anything without the delimiter; runs are merged, or they would
    make the expression slow."""
    merged = re.sub(r"[*%]*\*[*%]*", "*", re.sub(r"%+", "%", text))
    parts = {"*": ".*", "%": f"[^{DELIMITER}]*"}
    expression = "".join(parts.get(letter, re.escape(letter)) for letter in merged)
    return re.compile(expression, re.IGNORECASE if text.upper() == "INBOX" else 0)


async def namespace(connection: "Connection", parser: "Parser") -> str:
    """RFC 2342: one's own folders, without a prefix; nobody else's, and none that are shared."""
    parser.end()
    connection.untagged(f'NAMESPACE (("" "{DELIMITER}")) NIL NIL'.encode())
    return "NAMESPACE completed"


async def subscribe(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    folder = await find(connection, parser.mailbox())
    parser.end()
    if not folder.subscribed:
        async with connection.database.write() as session:
            await store.subscribe(session, connection.space, folder.id, wanted=True)
    return "SUBSCRIBE completed"


async def unsubscribe(connection: "Connection", parser: "Parser") -> str:
    """A name that is no folder's is not subscribed: clients say so after they have deleted it."""
    parser.space()
    name = parser.mailbox()
    parser.end()
    found = next((f for f in await _folders(connection) if f.name == name), None)
    if found is not None:
        async with connection.database.write() as session:
            await store.subscribe(session, connection.space, found.id, wanted=False)
    return "UNSUBSCRIBE completed"


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
        "RECENT": sum(uid >= folder.recent_from for uid, _ in items),
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
    """Read-only for a delegate who may only read."""
    assert connection.session is not None
    read_only = connection.session.mailbox.rights == "read"
    await _open(connection, parser, read_only=read_only)
    return f"[{'READ-ONLY' if read_only else 'READ-WRITE'}] SELECT completed"


async def examine(connection: "Connection", parser: "Parser") -> str:
    await _open(connection, parser, read_only=True)
    return "[READ-ONLY] EXAMINE completed"


async def _open(connection: "Connection", parser: "Parser", *, read_only: bool) -> None:
    parser.space()
    name = parser.mailbox()
    parser.end()
    connection.selected = None  # even where the new one cannot be opened (RFC 3501 §6.3.1)
    assert connection.session is not None
    if not await service.may_still_open(connection.kernel, connection.session):
        raise No("this mailbox is closed, or was taken back from you", "NOPERM")
    folder = await find(connection, name)
    selected = Selected(connection.space, folder, read_only)
    await selected.load(connection.database)
    connection.selected = selected
    permanent = "()" if read_only else FLAGS[:-1] + r" \*)"
    unseen = next((u for u, flags in selected.flags.items() if "\\Seen" not in flags), None)
    connection.untagged(f"FLAGS {FLAGS}".encode())
    connection.untagged(f"OK [PERMANENTFLAGS {permanent}] what can be kept".encode())
    connection.untagged(b"%d EXISTS" % len(selected.uids))
    connection.untagged(b"%d RECENT" % selected.count_recent())
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
    """With the levels above it that are missing (RFC 3501 §6.3.3)."""
    name = _new_name(parser)
    known = {folder.name for folder in await _folders(connection)}
    if name in known:
        raise No("there is such a folder", "ALREADYEXISTS")
    made = await _make(connection, {name, *_above(name)} - known, len(known))
    if name not in made:  # another client was faster
        raise No("there is such a folder", "ALREADYEXISTS")
    return "CREATE completed"


async def _make(connection: "Connection", names: set[str], there: int) -> set[str]:
    """Those that were new."""
    if there + len(names) > MAX_FOLDERS:
        raise No(f"a mailbox holds {MAX_FOLDERS} folders at most", "LIMIT")
    made = set()
    async with connection.database.write() as session:
        for name in sorted(names):
            if await store.create_folder(session, connection.space, connection.address, name):
                made.add(name)
    return made


def _above(name: str) -> list[str]:
    parts = name.split(DELIMITER)
    return [DELIMITER.join(parts[:count]) for count in range(1, len(parts))]


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
    """With what is inside, and the levels above the new name that are missing (RFC 3501 §6.3.5)."""
    parser.space()
    folder = await _ordinary(connection, parser.mailbox())
    name = _new_name(parser)
    folders = await _folders(connection)
    known = {other.name for other in folders}
    if name in known:
        raise No("there is such a folder", "ALREADYEXISTS")
    if name.startswith(folder.name + DELIMITER):
        raise No("a folder cannot be inside itself", "CANNOT")
    await _make(connection, set(_above(name)) - known, len(known))
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
    if not is_folder_name(name):
        raise No(f"a folder's name is modified UTF-7 of 1 to {MAX_NAME} characters, none of them * or %, "
                 f"with one {DELIMITER} between levels", "CANNOT")  # fmt: skip
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
