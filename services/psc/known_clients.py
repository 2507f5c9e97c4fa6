"""Clients as this process knows them, under the lease that spaces have (docs/adr/0004).

Whoever changes a client answers only once the lease has run out everywhere; a client that is not
known is asked for each time, so that a new one works at once.
"""

import re
from dataclasses import dataclass, field

from services.psc.domain.client import Client
from services.psc.repository import clients
from socle.clock import monotonic
from socle.db.database import Database
from socle.spaces import LEASE_SECONDS

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MAX_KNOWN = 10_000


@dataclass
class KnownClients:
    database: Database
    default_space: str
    _known: dict[tuple[str | None, str], tuple[float, Client]] = field(default_factory=dict)

    async def get(self, explicit_space: str | None, client_id: str) -> Client | None:
        """In the space of the path; without one, wherever the client is registered."""
        key = (explicit_space, client_id)
        known = self._known.get(key)
        if known is not None and monotonic() - known[0] < LEASE_SECONDS:
            return known[1]
        if not _CLIENT_ID.fullmatch(client_id):
            return None
        asked = monotonic()  # the lease starts before the question, never after
        async with self.database.read() as session:
            if explicit_space is not None:
                found = await clients.find(session, explicit_space, client_id)
            else:
                found = await clients.find_anywhere(session, client_id, self.default_space)
        if found is None:
            self._known.pop(key, None)
            return None
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[key] = (asked, found)
        return found
