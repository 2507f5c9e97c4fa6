"""The one statement that takes in a batch of mails of the plain case, and its arguments.

All that a mail makes true is one statement, hence one transaction and one round trip: body, message,
recipient, the place in the folder, the request for its report, the events. A mail is left out, without
an error, where the same one is known (also from the same batch), or where a mailbox is no longer what
was seen of it.

Rows that two transactions may contend for are touched in one order, as the general way does: bodies,
messages, then folders, each sorted. The lock of a folder makes UIDs grow in the order of the commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.mss.domain.mailboxes import Mailbox
from services.mss.repository import CHANNEL
from socle.events.envelope import Event
from socle.events.outbox import channel_of
from socle.events.topics import topic_of

MAILBOXES = """
SELECT space, address, kind, label, structure
FROM unnest($1::text[], $2::text[]) AS asked(space, address) JOIN mss.mailbox USING (space, address)
WHERE active AND quota_bytes IS NULL AND kind <> 'PATIENT'
"""

SUBMIT = f"""
WITH input AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bytea[], $9::bytea[], $10::bytea[], $11::text[], $12::timestamptz[], $13::text[]
    ) WITH ORDINALITY AS row(
        id, space, sender, sender_kind, structure, recipient, kind,
        sha256, content, header, message_id, at, passage, place
    )
), open AS MATERIALIZED (
    SELECT input.* FROM input
    JOIN mss.mailbox AS s
      ON s.space = input.space AND s.address = input.sender AND s.active
     AND s.kind = input.sender_kind AND s.structure = input.structure
    JOIN mss.mailbox AS r
      ON r.space = input.space AND r.address = input.recipient AND r.active
     AND r.quota_bytes IS NULL AND r.kind = input.kind AND r.kind <> 'PATIENT'
), body AS (
    INSERT INTO mss.body (space, sha256, content)
    SELECT space, sha256, content FROM open ORDER BY space, sha256
    ON CONFLICT DO NOTHING RETURNING sha256
), made AS (
    INSERT INTO mss.message (id, space, sha256, size, header, sender, message_id, accepted_at)
    SELECT id, space, sha256, length(content), header, sender, message_id, at
    FROM open, (SELECT count(*) FROM body) AS bodies_first
    ORDER BY space, sender, message_id, sha256, place
    ON CONFLICT (space, sender, message_id, sha256) WHERE sender IS NOT NULL AND message_id <> ''
    DO NOTHING RETURNING id
), fresh AS MATERIALIZED (
    SELECT open.* FROM open JOIN made USING (id)
), recipient AS (
    INSERT INTO mss.recipient (space, message, address) SELECT space, id, recipient FROM fresh
), locked AS (
    SELECT f.id, f.space, f.address FROM mss.folder AS f
    JOIN (SELECT DISTINCT space, recipient FROM fresh) AS filled
      ON f.space = filled.space AND f.address = filled.recipient AND f.name = 'INBOX'
    ORDER BY f.space, f.address FOR UPDATE OF f
), counted AS (
    SELECT locked.id, count(*) AS mails
    FROM locked JOIN fresh ON fresh.space = locked.space AND fresh.recipient = locked.address
    GROUP BY locked.id
), folder AS (
    UPDATE mss.folder AS f SET uid_next = f.uid_next + mails, version = f.version + mails
    FROM counted WHERE f.id = counted.id
    RETURNING f.id, f.space, f.address, f.uid_next - mails AS uid
), filed AS MATERIALIZED (
    SELECT fresh.id, fresh.space, fresh.at, folder.id AS folder,
           folder.uid + row_number() OVER (PARTITION BY folder.id ORDER BY place) - 1 AS uid
    FROM fresh JOIN folder ON folder.space = fresh.space AND folder.address = fresh.recipient
), item AS (
    INSERT INTO mss.item (folder, uid, space, message, internal_date)
    SELECT folder, uid, space, id, at FROM filed
), report AS (
    INSERT INTO mss.report (space, message, passage, requested_at)
    SELECT space, id, passage::jsonb, at FROM fresh WHERE passage IS NOT NULL
), told AS (
    INSERT INTO mss.outbox (topic, key, value)
    SELECT topic, message::text, value
    FROM unnest($14::uuid[], $15::text[], $16::bytea[])
        WITH ORDINALITY AS event(message, topic, value, place)
    JOIN made ON made.id = event.message ORDER BY place
)
SELECT id, pg_notify('{CHANNEL}', folder::text), pg_notify('{channel_of("mss")}', '') FROM filed
"""


@dataclass(frozen=True, slots=True)
class PlainMail:
    """With the mailboxes as they were seen; `passage` is JSON, None where no report is wanted."""

    id: UUID
    space: str
    sender: Mailbox
    recipient: Mailbox
    sha256: bytes
    content: bytes = field(repr=False)
    header: bytes = field(repr=False)
    message_id: str
    at: datetime
    passage: str | None
    events: Sequence[Event] = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.content)


def arguments(mails: Sequence[PlainMail]) -> list[list[Any]]:
    told = [(mail.id, event) for mail in mails for event in mail.events]
    return [
        [mail.id for mail in mails],
        [mail.space for mail in mails],
        [mail.sender.address for mail in mails],
        [mail.sender.kind for mail in mails],
        [mail.sender.structure for mail in mails],
        [mail.recipient.address for mail in mails],
        [mail.recipient.kind for mail in mails],
        [mail.sha256 for mail in mails],
        [mail.content for mail in mails],
        [mail.header for mail in mails],
        [mail.message_id for mail in mails],
        [mail.at for mail in mails],
        [mail.passage for mail in mails],
        [message for message, _ in told],
        [topic_of(event.type) for _, event in told],
        [event.value for _, event in told],
    ]
