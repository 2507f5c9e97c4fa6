"""SQL of the keys under which patients' letters were sent."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class Known:
    """`digest` is that of what was asked under the key."""

    digest: bytes
    message: UUID
    message_id: str


async def claim(
    session: WriteSession, space: str, patient: str, key: str, digest: bytes
) -> Known | None:
    """None where the key is new and this transaction's own; a rival with the same one waits for it."""
    values = {"space": space, "patient": patient, "key": key, "digest": digest}
    made = await session.execute(
        text(
            "INSERT INTO mss.patient_letter VALUES (:space, :patient, :key, :digest)"
            " ON CONFLICT DO NOTHING RETURNING key"
        ),
        values,
    )
    if made.one_or_none() is not None:
        return None
    found = await session.execute(
        text(
            "SELECT l.digest, m.id, m.message_id FROM mss.patient_letter l"
            " JOIN mss.message m ON m.id = l.message"
            " WHERE l.space = :space AND l.patient = :patient AND l.key = :key"
        ),
        values,
    )
    row = found.one_or_none()
    if row is None:  # the space was emptied in between
        return await claim(session, space, patient, key, digest)
    return Known(bytes(row.digest), row.id, row.message_id)


async def settle(session: WriteSession, space: str, patient: str, key: str, message: UUID) -> None:
    """In the transaction that has claimed the key: what was sent under it."""
    await session.execute(
        text(
            "UPDATE mss.patient_letter SET message = :message"
            " WHERE space = :space AND patient = :patient AND key = :key"
        ),
        {"space": space, "patient": patient, "key": key, "message": message},
    )
