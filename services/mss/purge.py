"""The texts of old messages that nothing holds any more are let go: the worker `purge`.

What holds a message is a folder, the queue, a report that is still to be made, and acknowledgements of
HL7v2 that wait. The message itself stays, without text and header: its Message-ID, whom it went to and
its report are what a late receipt, answer or repetition refers to.

Sealed by row locks: a message that is looked at here gets no new holder until the commit, since whoever
files or queues it locks it too; a text gets no new message. Each batch is one transaction, so that a
crash leaves nothing half done, and the next pass finds what is left.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from services.mss.metrics import PURGED, PURGED_BYTES
from services.mss.settings import MssSettings
from socle.clock import wall
from socle.db.database import WriteSession
from socle.kernel import Kernel
from socle.logs import get_logger

BATCH: Final = 500
"""Messages that are looked at in one transaction."""

PAUSE_SECONDS: Final = 0.2
INTERVAL_SECONDS: Final = 600.0
FIRST: Final = UUID(int=0)
log = get_logger("mss.purge")

_FREE = """
m.sha256 IS NOT NULL
AND NOT EXISTS (SELECT FROM mss.item i WHERE i.message = m.id)
AND NOT EXISTS (SELECT FROM mss.queued q WHERE q.message = m.id)
AND NOT EXISTS (
    SELECT FROM mss.report r
    WHERE r.space = m.space AND r.message = m.id AND r.done_at IS NULL)
AND NOT EXISTS (
    SELECT FROM mss.hl7_mail l
    JOIN mss.hl7_acknowledgement a USING (space, application, facility, control_id)
    WHERE l.space = m.space AND l.message_id = m.message_id AND a.next_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """`last` is the last message that was looked at; None where no older one is left."""

    last: UUID | None
    messages: int = 0
    octets: int = 0


async def run(kernel: Kernel) -> None:
    """Until cancelled. Any number of them share the work."""
    assert isinstance(kernel.settings, MssSettings)
    days = kernel.settings.mss_keep_days
    if not days:
        await asyncio.Event().wait()
    after = FIRST
    while True:
        try:
            done = await purge_batch(kernel, after, wall() - timedelta(days=days))
        except (SQLAlchemyError, OSError) as error:
            log.warning("purge_waits", error=type(error).__name__)
            done = Purged(None)
        after = done.last or FIRST
        await asyncio.sleep(PAUSE_SECONDS if done.last else INTERVAL_SECONDS)


async def purge_texts(kernel: Kernel, space: str, before: datetime) -> Purged:
    """All of one space, batch by batch."""
    messages = octets = 0
    after: UUID | None = FIRST
    while after is not None:
        done = await purge_batch(kernel, after, before, space)
        messages, octets, after = messages + done.messages, octets + done.octets, done.last
    return Purged(None, messages, octets)


async def purge_batch(
    kernel: Kernel, after: UUID, before: datetime, space: str | None = None
) -> Purged:
    """The next messages after `after` that were made before this instant of wall time: their ids tell."""
    async with kernel.database.write() as session:
        done = await _purge(session, after, before, space)
    PURGED.inc(done.messages)
    PURGED_BYTES.inc(done.octets)
    if done.messages:
        log.info("messages_purged", messages=done.messages, bytes=done.octets)
    return done


async def _purge(session: WriteSession, after: UUID, before: datetime, space: str | None) -> Purged:
    until = UUID(int=max(0, int(before.timestamp() * 1000)) << 80)
    seen = await session.execute(
        text(
            "SELECT id FROM mss.message WHERE id > :after AND id < :until"
            " AND (CAST(:space AS text) IS NULL OR space = :space) ORDER BY id LIMIT :limit"
        ),
        {"after": after, "until": until, "space": space, "limit": BATCH},
    )
    ids = list(seen.scalars())
    if not ids:
        return Purged(None)
    rows = await session.execute(
        text(
            "SELECT m.id, m.space, m.sha256 FROM mss.message m"
            f" WHERE m.id = ANY(:ids) AND {_FREE} ORDER BY m.id FOR UPDATE OF m SKIP LOCKED"
        ),
        {"ids": ids},
    )
    locked = {row.id: row for row in rows}
    # Asked once more: a holder may have come between the look and the lock.
    freed = await session.execute(
        text(
            "UPDATE mss.message m SET sha256 = NULL, header = ''"
            f" WHERE m.id = ANY(:ids) AND {_FREE} RETURNING m.id"
        ),
        {"ids": list(locked)},
    )
    gone = [locked[id_] for id_ in freed.scalars()]
    octets = await _remove_bodies(session, gone) if gone else 0
    return Purged(ids[-1], len(gone), octets)


async def _remove_bodies(session: WriteSession, gone: list[Row[tuple[UUID, str, bytes]]]) -> int:
    """Those that no message has any more: locked in one order, then asked; gives their bytes."""
    values = {"spaces": [one.space for one in gone], "sums": [bytes(one.sha256) for one in gone]}
    wanted = (
        "(b.space, b.sha256) IN (SELECT * FROM unnest(CAST(:spaces AS text[]),"
        " CAST(:sums AS bytea[])))"
    )
    await session.execute(
        text(f"SELECT FROM mss.body b WHERE {wanted} ORDER BY b.space, b.sha256 FOR UPDATE OF b"),
        values,
    )
    removed = await session.execute(
        text(
            f"DELETE FROM mss.body b WHERE {wanted} AND NOT EXISTS (SELECT FROM mss.message m"
            " WHERE m.space = b.space AND m.sha256 = b.sha256) RETURNING length(b.content)"
        ),
        values,
    )
    return sum(removed.scalars())
