"""Use cases: count what events say, declare activity."""

from collections.abc import Sequence

from services.usage.events import facts_of
from services.usage.tally import count_facts
from socle.db.database import WriteSession
from socle.events.envelope import Event
from socle.events.outbox import publish


async def apply_events(session: WriteSession, events: Sequence[Event]) -> None:
    """The consumer's handler."""
    await count_facts(session, facts_of(events))


async def tell(session: WriteSession, events: Sequence[Event]) -> None:
    """Counts what was declared at once, and tells the log, from which a recount gives the same."""
    await apply_events(session, events)
    await publish(session, "usage", events)
