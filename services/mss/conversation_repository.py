"""SQL of conversations: what patients received and may do with it, and who their contacts are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.domain.conversation import Incoming, Reply
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class PatientMail:
    """A message in a patient's INBOX; `reply` is what the patient may do with it now."""

    message: UUID
    uid: int
    size: int
    received_at: datetime
    header: bytes = field(repr=False)
    sender: str = field(repr=False)
    contact: str = field(repr=False)
    reply: Reply
    receipt_to: str | None = field(repr=False)
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contact:
    address: str = field(repr=False)
    kind: str | None
    open: bool
    since: datetime


async def insert_mail(
    session: WriteSession, space: str, patient: str, message: UUID, incoming: Incoming
) -> None:
    await session.execute(
        text(
            "INSERT INTO mss.patient_mail (space, patient, message, contact, reply, receipt_to)"
            " VALUES (:space, :patient, :message, :contact, :reply, :receipt_to)"
        ),
        {
            "space": space,
            "patient": patient,
            "message": message,
            "contact": incoming.contact,
            "reply": incoming.reply,
            "receipt_to": incoming.receipt_to,
        },
    )


async def open_contact(
    session: WriteSession, space: str, patient: str, address: str, at: datetime
) -> None:
    """Authorised from the first message on, and again by each later one."""
    await session.execute(
        text(
            "INSERT INTO mss.contact AS c VALUES (:space, :patient, :address, true, :at)"
            " ON CONFLICT ON CONSTRAINT pk_contact DO UPDATE SET open = true, since = :at"
            " WHERE NOT c.open"
        ),
        {"space": space, "patient": patient, "address": address, "at": at},
    )


async def close_contacts(
    session: WriteSession, space: str, patient: str, sender: str, contact: str, at: datetime
) -> bool:
    """All that a sender has written, and all that goes to a contact, is answered no more.

    True where something was open until now.
    """
    key: dict[str, Any] = {
        "space": space,
        "patient": patient,
        "sender": sender,
        "contact": contact,
    }
    rows = await session.execute(
        text(
            "UPDATE mss.patient_mail p SET reply = 'REPLY_BLOCKED' FROM mss.message m"
            " WHERE p.space = :space AND p.patient = :patient AND m.id = p.message"
            " AND m.space = p.space AND p.reply = 'REPLY'"
            " AND (m.sender = :sender OR p.contact IN (:sender, :contact)) RETURNING p.contact"
        ),
        key,
    )
    closed = sorted({row.contact for row in rows} | {sender, contact})
    ended = await session.execute(
        text(
            "UPDATE mss.contact SET open = false, since = :at WHERE space = :space"
            " AND patient = :patient AND address = ANY(:closed) AND open RETURNING address"
        ),
        {**key, "closed": closed, "at": at},
    )
    return ended.first() is not None


async def list_contacts(session: AsyncSession, space: str, patient: str) -> list[Contact]:
    rows = await session.execute(
        text(
            "SELECT c.address, m.kind, c.open, c.since FROM mss.contact c"
            " LEFT JOIN mss.mailbox m ON m.space = c.space AND m.address = c.address"
            " WHERE c.space = :space AND c.patient = :patient ORDER BY c.address"
        ),
        {"space": space, "patient": patient},
    )
    return [Contact(*row) for row in rows]


async def open_contacts(
    session: AsyncSession,
    space: str,
    patient: str,
    addresses: Sequence[str],
    *,
    keep: bool = False,
) -> set[str]:
    """Which of these the patient may write to; `keep` holds them so until the transaction ends."""
    rows = await session.execute(
        text(
            "SELECT address, open FROM mss.contact WHERE space = :space AND patient = :patient"
            " AND address = ANY(:addresses) ORDER BY address" + (" FOR SHARE" if keep else "")
        ),
        {"space": space, "patient": patient, "addresses": list(addresses)},
    )
    return {row.address for row in rows if row.open}


async def list_mail(
    session: AsyncSession, space: str, patient: str, after: int, limit: int
) -> list[PatientMail]:
    """INBOX by growing UID."""
    return await _mail(
        session,
        " AND i.uid > :after ORDER BY i.uid LIMIT :limit",
        {"space": space, "patient": patient, "after": after, "limit": limit},
    )


async def get_mail(
    session: AsyncSession, space: str, patient: str, message: UUID, *, lock: bool = False
) -> PatientMail | None:
    found = await _mail(
        session,
        " AND p.message = :message" + (" FOR UPDATE OF p" if lock else ""),
        {"space": space, "patient": patient, "message": message},
    )
    return found[0] if found else None


async def _mail(session: AsyncSession, rest: str, values: dict[str, Any]) -> list[PatientMail]:
    rows = await session.execute(
        text(
            "SELECT m.id, i.uid, m.size, i.internal_date, m.header, coalesce(m.sender, '') AS sender,"
            " p.contact, p.reply, p.receipt_to, p.read_at FROM mss.patient_mail p"
            " JOIN mss.message m ON m.id = p.message AND m.space = p.space"
            " JOIN mss.folder f ON f.space = p.space AND f.address = p.patient AND f.name = 'INBOX'"
            " JOIN mss.item i ON i.folder = f.id AND i.message = p.message"
            " WHERE p.space = :space AND p.patient = :patient" + rest
        ),
        values,
    )
    return [
        PatientMail(
            r.id, r.uid, r.size, r.internal_date, bytes(r.header), r.sender, r.contact, r.reply,
            r.receipt_to, r.read_at,
        )
        for r in rows
    ]  # fmt: skip


async def mark_read(
    session: WriteSession, space: str, patient: str, message: UUID, at: datetime
) -> None:
    key = {"space": space, "patient": patient, "message": message}
    await session.execute(
        text(
            "UPDATE mss.patient_mail SET read_at = :at"
            " WHERE space = :space AND patient = :patient AND message = :message"
        ),
        {**key, "at": at},
    )
    await session.execute(
        text(
            "UPDATE mss.item SET flags = ARRAY(SELECT DISTINCT unnest(flags || ARRAY['\\Seen']))"
            " WHERE space = :space AND message = :message AND folder ="
            " (SELECT id FROM mss.folder"
            "  WHERE space = :space AND address = :patient AND name = 'INBOX')"
        ),
        key,
    )


async def get_body(session: AsyncSession, space: str, message: UUID) -> bytes:
    found = await session.execute(
        text(
            "SELECT b.content FROM mss.message m JOIN mss.body b USING (space, sha256)"
            " WHERE m.space = :space AND m.id = :message"
        ),
        {"space": space, "message": message},
    )
    return bytes(found.scalar_one())
