"""Removing messages, so that tests start anew."""

from uuid import UUID

from sqlalchemy import text

from services.mss.repository import notify
from socle.db.database import WriteSession

# Each later statement may rely on what the earlier ones have removed.
_EVERYTHING = (
    "DELETE FROM mss.item WHERE space = :space",
    "DELETE FROM mss.notification WHERE space = :space",
    "DELETE FROM mss.contact WHERE space = :space",
    "DELETE FROM mss.queued WHERE space = :space",
    "DELETE FROM mss.message WHERE space = :space",
    "DELETE FROM mss.body WHERE space = :space",
)


async def remove_message(session: WriteSession, space: str, owner: str, message: UUID) -> int:
    """From every folder of the caller's mailboxes; gives in how many it was."""
    return await _remove(
        session,
        space,
        "i.message = :message AND f.address IN (SELECT address FROM mss.mailbox_access"
        " WHERE space = :space AND national_id = :owner AND rights <> 'read')",
        {"owner": owner, "message": message},
    )


async def empty_mailbox(session: WriteSession, space: str, address: str) -> int:
    """All of its folders; gives how many messages lay there."""
    return await _remove(session, space, "f.address = :address", {"address": address})


async def _remove(session: WriteSession, space: str, which: str, values: dict[str, object]) -> int:
    """Folders are locked in one order before anything is deleted, as deliveries lock them."""
    values = {**values, "space": space}
    folders = await session.execute(
        text(
            "UPDATE mss.folder SET version = version + 1 WHERE id IN (SELECT f.id FROM mss.folder f"
            f" JOIN mss.item i ON i.folder = f.id WHERE f.space = :space AND {which}"
            " ORDER BY f.address, f.name FOR UPDATE OF f) RETURNING id"
        ),
        values,
    )
    for row in folders.all():
        await notify(session, row.id)
    removed = await session.execute(
        text(
            "DELETE FROM mss.item i USING mss.folder f"
            f" WHERE f.id = i.folder AND f.space = :space AND {which}"
            " RETURNING i.message, f.address"
        ),
        values,
    )
    gone = [{"space": space, "message": one.message, "address": one.address} for one in removed]
    if gone:
        # The same message, sent again, is delivered again.
        await session.execute(
            text(
                "DELETE FROM mss.recipient"
                " WHERE space = :space AND message = :message AND address = :address"
            ),
            gone,
        )
    return len(gone)


async def purge_space(session: WriteSession, space: str) -> None:
    """Every message with its body, and what patients' conversations held; mailboxes stay.

    A submission that runs at the same time may find its body gone, and is told to try again.
    """
    folders = await session.execute(
        text(
            "UPDATE mss.folder SET version = version + 1 WHERE id IN ("
            " SELECT id FROM mss.folder WHERE space = :space ORDER BY address, name FOR UPDATE)"
            " RETURNING id"
        ),
        {"space": space},
    )
    touched = [row.id for row in folders]
    for statement in _EVERYTHING:
        await session.execute(text(statement), {"space": space})
    for folder in touched:
        await notify(session, folder)
