"""SQL that fills the directory, thousands of entries and mailboxes at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import text

from services.mss.annuaire.domain.entries import Entry
from services.mss.annuaire.domain.index import folded, index_of, key
from services.mss.annuaire.domain.telecom import NewMailbox
from services.mss.domain.mailboxes import FOLDERS
from socle.db.database import WriteSession


async def insert_entries(
    session: WriteSession, space: str, entries: Sequence[Entry], at: datetime
) -> int:
    """How many are new; one that is there is left as it is."""
    rows, texts = await asyncio.to_thread(_records, space, entries)
    await _copy(session, rows, texts)
    made = await session.execute(
        text(
            """
            WITH made AS (
                INSERT INTO mss.annuaire_entry (space, kind, id, national_id, structure, active,
                    updated_at, body, tokens)
                SELECT :space, kind, id, national_id, structure, active, :at, body, tokens
                FROM annuaire_entry_load ORDER BY kind, id
                ON CONFLICT DO NOTHING RETURNING kind, id
            ), texts AS (
                INSERT INTO mss.annuaire_text (space, kind, entry, name, value, folded)
                SELECT :space, l.kind, l.entry, l.name, l.value, l.folded
                FROM annuaire_text_load l JOIN made ON made.kind = l.kind AND made.id = l.entry
            )
            SELECT count(*) FROM made
            """
        ),
        {"space": space, "at": at},
    )
    new: int = made.scalar_one()
    return new


Record = tuple[object, ...]


def _records(space: str, entries: Sequence[Entry]) -> tuple[list[Record], list[Record]]:
    """Entries and texts as they are copied, each entry once and in a fixed order: two loads that
    cross do not wait for one another."""
    unique = {(entry.kind, entry.id): entry for entry in reversed(entries)}
    rows: list[Record] = []
    texts: list[Record] = []
    for (kind, id_), entry in sorted(unique.items()):
        index = index_of(space, kind, entry.body)
        rows.append(
            (kind, id_, entry.national_id, entry.structure, entry.body.get("active") is not False,
             orjson.dumps(entry.body).decode(), list(index.tokens))
        )  # fmt: skip
        texts += [(kind, id_, name, value, folded(value)) for name, value in index.texts]
    return rows, texts


async def _copy(session: WriteSession, rows: Sequence[Record], texts: Sequence[Record]) -> None:
    """Into tables of this transaction: COPY is ten times as fast as INSERT, and knows no conflict."""
    for statement in (
        "DROP TABLE IF EXISTS annuaire_entry_load, annuaire_text_load",
        'CREATE TEMP TABLE annuaire_entry_load (kind text, id text COLLATE "C", national_id text,'
        " structure text, active boolean, body json, tokens bigint[]) ON COMMIT DROP",
        'CREATE TEMP TABLE annuaire_text_load (kind text, entry text COLLATE "C", name text,'
        " value text, folded text) ON COMMIT DROP",
    ):
        await session.execute(text(statement))
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert connection is not None
    await connection.copy_records_to_table("annuaire_entry_load", records=rows)
    await connection.copy_records_to_table("annuaire_text_load", records=texts)


async def insert_mailboxes(
    session: WriteSession, space: str, mailboxes: Sequence[NewMailbox]
) -> int:
    """Whole mailboxes, to which mail can be sent. How many are new: a taken address is left."""
    unique = {one.address: one for one in reversed(mailboxes)}
    ordered = [unique[address] for address in sorted(unique)]
    made = await session.execute(
        text(
            """
            WITH given AS (
                SELECT * FROM unnest(CAST(:addresses AS text[]), CAST(:kinds AS text[]),
                    CAST(:labels AS text[]), CAST(:owners AS text[]), CAST(:structures AS text[]),
                    CAST(:red AS boolean[])) g(address, kind, label, owner, structure, red_listed)
            ), made AS (
                INSERT INTO mss.mailbox (space, address, kind, label, structure)
                SELECT :space, address, kind, label, structure FROM given ORDER BY address
                ON CONFLICT DO NOTHING RETURNING address
            ), owned AS (
                INSERT INTO mss.mailbox_owner (space, address, national_id)
                SELECT :space, address, owner FROM given JOIN made USING (address)
            ), folders AS (
                INSERT INTO mss.folder (space, address, name, special_use)
                SELECT :space, address, f.name, f.special_use FROM made CROSS JOIN
                    unnest(CAST(:names AS text[]), CAST(:uses AS text[])) f(name, special_use)
            ), hidden AS (
                INSERT INTO mss.annuaire_mailbox (space, address, red_listed)
                SELECT :space, address, true FROM given JOIN made USING (address) WHERE red_listed
            )
            SELECT count(*) FROM made
            """
        ),
        {
            "space": space,
            "addresses": [one.address for one in ordered],
            "kinds": [one.kind for one in ordered],
            "labels": [one.label for one in ordered],
            "owners": [one.owner for one in ordered],
            "structures": [one.structure for one in ordered],
            "red": [one.red_listed for one in ordered],
            "names": list(FOLDERS),
            "uses": list(FOLDERS.values()),
        },
    )
    new: int = made.scalar_one()
    return new


async def refresh_statistics(session: WriteSession) -> None:
    """A plan made for an empty directory would read a large one whole."""
    for table in (
        "annuaire_entry",
        "annuaire_text",
        "annuaire_mailbox",
        "mailbox",
        "mailbox_owner",
    ):
        await session.execute(text(f"ANALYZE mss.{table}"))


async def delete_professional(session: WriteSession, space: str, id_: str) -> None:
    """The person and their situations; the structures stay, as others work there."""
    reference = key(space, "PractitionerRole", "practitioner", None, f"Practitioner/{id_}")
    await session.execute(
        text(
            """
            WITH gone AS (
                DELETE FROM mss.annuaire_entry WHERE space = :space AND (
                    (kind = 'Practitioner' AND id = :id) OR
                    (kind = 'PractitionerRole' AND tokens && CAST(:keys AS bigint[])))
                RETURNING kind, id
            )
            DELETE FROM mss.annuaire_text t USING gone
            WHERE t.space = :space AND t.kind = gone.kind AND t.entry = gone.id
            """
        ),
        {"space": space, "id": id_, "keys": [reference]},
    )
