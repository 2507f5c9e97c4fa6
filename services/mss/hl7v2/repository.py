"""SQL of the HL7v2 side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mss.hl7v2.answers import Accepted, Parties
from services.mss.hl7v2.flags import Flags
from services.mss.hl7v2.participants import Addressee
from socle.clock import wall
from socle.db.database import WriteSession


@dataclass(frozen=True, slots=True)
class Sender:
    """A CREATEUR: MSH-3 and MSH-4, the space it works in, the mailbox that sends for it, and where its
    acknowledgements go (`host:port`, empty for nowhere)."""

    application: str
    facility: str
    space: str
    mailbox: str = field(repr=False)
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class AnnouncedMail:
    """A mail that a message asks for; its identifier follows from the message's own."""

    message_id: str
    addressees: tuple[Addressee, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    id: UUID
    endpoint: str
    content: bytes = field(repr=False)
    attempts: int


async def get_sender(session: AsyncSession, application: str, facility: str) -> Sender | None:
    found = await session.execute(
        text(
            "SELECT application, facility, space, mailbox, endpoint FROM mss.hl7_sender"
            " WHERE application = :application AND facility = :facility"
        ),
        {"application": application, "facility": facility},
    )
    row = found.one_or_none()
    return Sender(*row) if row else None


async def put_sender(session: WriteSession, sender: Sender, *, replace: bool) -> bool:
    """False where another space has this application and facility, and nothing was changed."""
    update = (
        "DO UPDATE SET mailbox = :mailbox, endpoint = :endpoint,"
        " seen_uid = CASE WHEN hl7_sender.mailbox = :mailbox THEN hl7_sender.seen_uid ELSE 0 END"
        " WHERE hl7_sender.space = :space"
    )
    made = await session.execute(
        text(
            "INSERT INTO mss.hl7_sender (application, facility, space, mailbox, endpoint)"
            " VALUES (:application, :facility, :space, :mailbox, :endpoint)"
            f" ON CONFLICT (application, facility) {update if replace else 'DO NOTHING'}"
            " RETURNING application"
        ),
        asdict(sender),
    )
    return made.one_or_none() is not None


async def list_senders(session: AsyncSession, space: str) -> list[Sender]:
    rows = await session.execute(
        text(
            "SELECT application, facility, space, mailbox, endpoint FROM mss.hl7_sender"
            " WHERE space = :space ORDER BY 1, 2"
        ),
        {"space": space},
    )
    return [Sender(*row) for row in rows]


async def get_digest(session: AsyncSession, sender: Sender, control_id: str) -> bytes | None:
    """Of the message that was carried out under this identifier."""
    found = await session.execute(
        text(
            "SELECT sha256 FROM mss.hl7_message WHERE space = :space AND application = :application"
            " AND facility = :facility AND control_id = :control_id AND carried_out"
        ),
        _key(sender, control_id),
    )
    digest = found.scalar_one_or_none()
    return None if digest is None else bytes(digest)


async def begin_message(
    session: WriteSession,
    sender: Sender,
    accepted: Accepted,
    mails: Sequence[AnnouncedMail],
    *,
    sha256: bytes,
    flags: Flags,
    at: datetime,
) -> None:
    """Before its mails leave, so that what comes back on them finds it. An earlier attempt that was not
    carried out, even one with other content, gives way."""
    await session.execute(
        text(
            "INSERT INTO mss.hl7_message (space, application, facility, control_id, sha256, parties,"
            " wants_reading, wants_reception, received_at, carried_out) VALUES (:space, :application,"
            " :facility, :control_id, :sha256, CAST(:parties AS jsonb), :reading, :reception, :at,"
            " false) ON CONFLICT (space, application, facility, control_id) DO UPDATE SET"
            " sha256 = :sha256, parties = CAST(:parties AS jsonb), wants_reading = :reading,"
            " wants_reception = :reception, received_at = :at WHERE NOT hl7_message.carried_out"
        ),
        {
            **_key(sender, accepted.control_id),
            "sha256": sha256,
            "parties": orjson.dumps(asdict(accepted.parties)).decode(),
            "reading": flags["ACK_LECTURE_MSS"],
            "reception": flags["ACK_RECEPTION"],
            "at": at,
        },
    )
    for mail in mails:
        await session.execute(
            text(
                "INSERT INTO mss.hl7_mail (space, message_id, application, facility, control_id,"
                " addressees) VALUES (:space, :message_id, :application, :facility, :control_id,"
                " CAST(:addressees AS jsonb)) ON CONFLICT DO NOTHING"
            ),
            {
                **_key(sender, accepted.control_id),
                "message_id": mail.message_id,
                "addressees": orjson.dumps([asdict(it) for it in mail.addressees]).decode(),
            },
        )


async def finish_message(
    session: WriteSession, sender: Sender, control_id: str, sha256: bytes
) -> bool:
    """False where a rival was first: it has written everything."""
    done = await session.execute(
        text(
            "UPDATE mss.hl7_message SET carried_out = true WHERE space = :space"
            " AND application = :application AND facility = :facility AND control_id = :control_id"
            " AND sha256 = :sha256 AND NOT carried_out RETURNING control_id"
        ),
        {**_key(sender, control_id), "sha256": sha256},
    )
    return done.one_or_none() is not None


async def set_message(
    session: WriteSession, space: str, message_id: str, message: UUID | None
) -> None:
    """What the mail became."""
    await session.execute(
        text(
            "UPDATE mss.hl7_mail SET message = :message WHERE space = :space"
            " AND message_id = :message_id"
        ),
        {"space": space, "message_id": message_id, "message": message},
    )


async def claim_reception(session: WriteSession, space: str, message_id: str, address: str) -> bool:
    """True for the one word on this recipient's server that is passed on."""
    made = await session.execute(
        text(
            "INSERT INTO mss.hl7_reception VALUES (:space, :message_id, :address)"
            " ON CONFLICT DO NOTHING RETURNING address"
        ),
        {"space": space, "message_id": message_id, "address": address},
    )
    return made.one_or_none() is not None


async def delivered_to(session: AsyncSession, space: str, message: UUID) -> dict[str, bool]:
    """Recipients here who were not refused at once: whether the message lies with them. A patient
    whose mailbox refused it is told of by a report."""
    rows = await session.execute(
        text(
            "SELECT r.address, EXISTS (SELECT 1 FROM mss.folder f JOIN mss.item i ON i.folder = f.id"
            " WHERE f.space = r.space AND f.address = r.address AND i.message = r.message) AS there"
            " FROM mss.recipient r WHERE r.space = :space AND r.message = :message"
        ),
        {"space": space, "message": message},
    )
    return {row.address: row.there for row in rows}


async def insert_acknowledgement(
    session: WriteSession,
    sender: Sender,
    control_id: str,
    identifier: UUID,
    content: bytes,
    at: datetime,
) -> None:
    """To be sent at once, where the sender has an endpoint."""
    await session.execute(
        text(
            "INSERT INTO mss.hl7_acknowledgement (id, space, application, facility, control_id,"
            " content, made_at, next_at) VALUES (:id, :space, :application, :facility, :control_id,"
            " :content, :at, :next_at)"
        ),
        {
            **_key(sender, control_id),
            "id": identifier,
            "content": content,
            "at": at,
            "next_at": wall() if sender.endpoint else None,
        },
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A report that lies in the mailbox of a sender, above what was looked at."""

    uid: int
    sender: Sender
    content: bytes = field(repr=False)


async def take_receipt(session: WriteSession) -> Receipt | None:
    """The next one of any sender; the sender is held until the transaction ends."""
    found = await session.execute(
        text(
            "SELECT s.application, s.facility, s.space, s.mailbox, s.endpoint, i.uid, b.content"
            " FROM mss.hl7_sender s JOIN mss.folder f ON f.space = s.space AND f.address = s.mailbox"
            "  AND f.name = 'INBOX' JOIN mss.item i ON i.folder = f.id AND i.uid > s.seen_uid"
            " JOIN mss.message m ON m.id = i.message JOIN mss.body b ON b.space = m.space"
            "  AND b.sha256 = m.sha256"
            " ORDER BY i.uid LIMIT 1 FOR UPDATE OF s SKIP LOCKED"
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Receipt(row.uid, Sender(*row[:5]), bytes(row.content))


async def mark_seen(session: WriteSession, receipt: Receipt) -> None:
    await session.execute(
        text(
            "UPDATE mss.hl7_sender SET seen_uid = :uid"
            " WHERE application = :application AND facility = :facility"
        ),
        {
            "uid": receipt.uid,
            "application": receipt.sender.application,
            "facility": receipt.sender.facility,
        },
    )


@dataclass(frozen=True, slots=True)
class Awaited:
    """The mail that a receipt is about, and the message that asked for it."""

    accepted: Accepted
    wants_reading: bool
    wants_reception: bool
    addressees: tuple[Addressee, ...] = field(repr=False)


async def find_awaited(session: AsyncSession, sender: Sender, message_id: str) -> Awaited | None:
    found = await session.execute(
        text(
            "SELECT h.parties, h.control_id, h.wants_reading, h.wants_reception, l.addressees"
            " FROM mss.hl7_mail l"
            " JOIN mss.hl7_message h USING (space, application, facility, control_id)"
            " WHERE l.space = :space AND l.message_id = :message_id"
            " AND l.application = :application AND l.facility = :facility"
        ),
        {
            "space": sender.space,
            "message_id": message_id,
            "application": sender.application,
            "facility": sender.facility,
        },
    )
    row = found.one_or_none()
    if row is None:
        return None
    accepted = Accepted(Parties(**row.parties), row.control_id)
    return Awaited(
        accepted,
        row.wants_reading,
        row.wants_reception,
        tuple(Addressee(**it) for it in row.addressees),
    )


async def take_waiting(session: WriteSession) -> Waiting | None:
    found = await session.execute(
        text(
            "SELECT a.id, s.endpoint, a.content, a.attempts FROM mss.hl7_acknowledgement a"
            " JOIN mss.hl7_sender s USING (application, facility)"
            " WHERE a.next_at <= :now ORDER BY a.next_at, a.id LIMIT 1 FOR UPDATE OF a SKIP LOCKED"
        ),
        {"now": wall()},
    )
    row = found.one_or_none()
    return Waiting(row.id, row.endpoint, bytes(row.content), row.attempts) if row else None


async def mark_tried(
    session: WriteSession, identifier: UUID, answer: str | None, next_at: datetime | None
) -> None:
    """`answer` is MSA-1 of what came back; `next_at` None where it is not tried again."""
    await session.execute(
        text(
            "UPDATE mss.hl7_acknowledgement SET attempts = attempts + 1, answer = :answer,"
            " next_at = :next_at WHERE id = :id"
        ),
        {"id": identifier, "answer": answer, "next_at": next_at},
    )


async def list_acknowledgements(
    session: AsyncSession, space: str, after: UUID | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    rows = await session.execute(
        text(
            "SELECT id, application, facility, control_id, content, made_at, attempts, answer,"
            " next_at IS NOT NULL AS waits FROM mss.hl7_acknowledgement WHERE space = :space"
            " AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit"
        ),
        {"space": space, "after": after, "limit": limit},
    )
    return [dict(row._mapping) for row in rows]


def _key(sender: Sender, control_id: str) -> dict[str, Any]:
    return {
        "space": sender.space,
        "application": sender.application,
        "facility": sender.facility,
        "control_id": control_id,
    }
