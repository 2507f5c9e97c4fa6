"""What one process holds: settings, database, spaces, log, verifier. Built once, at start."""

from dataclasses import dataclass, field
from functools import cached_property

from socle.auth.keys import RemoteKeys
from socle.auth.tokens import TokenVerifier
from socle.db.database import Database
from socle.events.log import EventLog
from socle.events.open_log import open_log
from socle.faults import FaultInjector
from socle.pseudonyms import Pseudonym, pseudonym
from socle.settings import Settings
from socle.spaces import Seed, SpaceRegistry


@dataclass
class Kernel:
    service: str
    settings: Settings
    database: Database
    spaces: SpaceRegistry
    verifier: TokenVerifier
    faults: FaultInjector = field(default_factory=FaultInjector)

    @classmethod
    def build(cls, service: str, settings: Settings, seed: Seed | None = None) -> "Kernel":
        database = Database(
            settings.require_database_url(),
            application=f"socle-{service}",
            pool_size=settings.database_pool_size,
        )
        return cls(
            service=service,
            settings=settings,
            database=database,
            spaces=SpaceRegistry(database, service, seed, settings.max_spaces),
            verifier=TokenVerifier(
                RemoteKeys(settings.psc_url), settings.public_url, settings.default_space
            ),
        )

    @cached_property
    def event_log(self) -> EventLog:
        return open_log(self.settings, self.database, client=f"socle-{self.service}")

    def pseudonym(self, space: str, oid: str, matricule: str) -> Pseudonym:
        return pseudonym(self.settings.require_pseudonym_key(), space, oid, matricule)

    async def close(self) -> None:
        if "event_log" in self.__dict__:
            await self.event_log.close()
        await self.database.close()
