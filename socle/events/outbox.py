"""The outbox: a fact becomes an event in the transaction that makes it true."""

from collections.abc import Sequence

from sqlalchemy import text

from socle.db.database import WriteSession
from socle.events.envelope import Event
from socle.events.topics import topic_of


def channel_of(schema: str) -> str:
    """The NOTIFY channel that wakes the relay of a service."""
    return f"socle_outbox_{schema}"


async def publish(session: WriteSession, schema: str, events: Sequence[Event]) -> None:
    """Writes the events beside the facts; the relay sends them once this transaction commits."""
    if not events:
        return
    await session.execute(
        text(f"INSERT INTO {schema}.outbox (topic, key, value) VALUES (:topic, :key, :value)"),
        [
            {"topic": topic_of(event.type), "key": event.subject, "value": event.value}
            for event in events
        ],
    )
    await session.execute(text(f"NOTIFY {channel_of(schema)}"))
