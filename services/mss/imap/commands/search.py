"""SEARCH (RFC 3501 §6.4.4)."""

from typing import TYPE_CHECKING

from services.mss.imap import store as sql
from services.mss.imap.search import Bounds, Candidate, parse_query

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

BATCH = 200


async def search(connection: "Connection", parser: "Parser") -> str:
    return await _search(connection, parser, by_uid=False)


async def uid_search(connection: "Connection", parser: "Parser") -> str:
    return await _search(connection, parser, by_uid=True)


async def _search(connection: "Connection", parser: "Parser", *, by_uid: bool) -> str:
    parser.space()
    selected = connection.require_selected()
    uids = list(selected.uids)
    query = parse_query(parser, Bounds(list(range(1, len(uids) + 1)), uids))
    numbers = {uid: number for number, uid in enumerate(uids, 1)}
    found: list[bytes] = []
    size = 1 if query.reads_bodies else BATCH
    for start in range(0, len(uids), size):
        async with connection.database.read() as session:
            messages = await sql.fetch(
                session,
                connection.space,
                selected.folder.id,
                uids[start : start + size],
                content=query.reads_bodies,
            )
        for m in messages:
            candidate = Candidate(
                numbers[m.uid], m.uid, frozenset(selected.shown(m.uid, m.flags)), m.internal_date, m.size, m.header,
                m.content or b"",
            )  # fmt: skip
            if query.matches(candidate):
                found.append(b"%d" % (m.uid if by_uid else candidate.number))
    connection.untagged(b" ".join([b"SEARCH", *found]))
    return "SEARCH completed"
