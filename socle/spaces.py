"""Spaces: one vendor's isolated world, with its clock and its faults.

A process remembers a space for a lease of a quarter of a second. Whoever changes a space
answers only once that lease has run out everywhere, so a change is in force in every process
when its caller reads the answer (docs/adr/0004), and no request pays for a look-up.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from socle.clock import SpaceClock, monotonic
from socle.db.database import Database, WriteSession
from socle.errors import Category, DomainError
from socle.faults import FaultRule

LEASE_SECONDS = 0.25
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Space:
    name: str
    clock: SpaceClock
    faults: tuple[FaultRule, ...] = ()

    def now(self) -> datetime:
        return self.clock.now()


def check_space_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise DomainError(
            Category.INCORRECT,
            "space_name",
            "A space is named by 1 to 63 lower-case letters, digits and inner hyphens.",
        )
    return name


Seed = Callable[[WriteSession, Space], Awaitable[None]]


@dataclass
class SpaceRegistry:
    """The spaces as this process sees them; creates and seeds on first use.

    `schema` and `seed` are the service's own: each service fills its part of a new space, once,
    in one transaction, however many requests arrive together.
    """

    database: Database
    schema: str
    seed: Seed | None = None
    max_spaces: int = 10_000
    _known: dict[str, tuple[float, Space]] = field(default_factory=dict)
    _seeded: set[str] = field(default_factory=set)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def get(self, name: str) -> Space:
        """The space, created and seeded if it is new."""
        known = self._known.get(name)
        if known is not None and monotonic() - known[0] < LEASE_SECONDS:
            return known[1]
        check_space_name(name)
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._known.get(name)
            if known is not None and monotonic() - known[0] < LEASE_SECONDS:
                return known[1]
            asked = monotonic()  # the lease starts before the question, never after
            space = await self._load(name)
            self._known[name] = (asked, space)
            return space

    async def _load(self, name: str) -> Space:
        async with self.database.read() as session:
            space = await read_space(session, name)
        if space is not None and name in self._seeded:
            return space
        async with self.database.write() as session:
            if space is None:
                await create_space(session, name, self.max_spaces)
                space = await read_space(session, name)
                assert space is not None
            if self.seed is not None and await _claim_seeding(session, self.schema, name):
                await self.seed(session, space)
        self._seeded.add(name)
        return space


async def read_space(session: AsyncSession, name: str) -> Space | None:
    result = await session.execute(
        text("SELECT clock_offset, clock_frozen_at, faults FROM socle.space WHERE name = :name"),
        {"name": name},
    )
    row = result.one_or_none()
    if row is None:
        return None
    faults = tuple(FaultRule.model_validate(rule) for rule in row.faults)
    return Space(name, SpaceClock(row.clock_offset, row.clock_frozen_at), faults)


async def create_space(session: WriteSession, name: str, limit: int) -> None:
    count = (await session.execute(text("SELECT count(*) FROM socle.space"))).scalar_one()
    if count >= limit:
        raise DomainError(
            Category.FORBIDDEN,
            "too_many_spaces",
            f"This sandbox holds {limit} spaces already; delete one or raise SOCLE_MAX_SPACES.",
        )
    await session.execute(
        text("INSERT INTO socle.space (name) VALUES (:name) ON CONFLICT DO NOTHING"),
        {"name": name},
    )


async def _claim_seeding(session: WriteSession, schema: str, space: str) -> bool:
    """True for the one transaction that must seed; a rival waits here until it has committed."""
    result = await session.execute(
        text(
            f'INSERT INTO "{schema}".seeded (space) VALUES (:space)'  # our own schema name
            " ON CONFLICT DO NOTHING RETURNING space"
        ),
        {"space": space},
    )
    return result.one_or_none() is not None


async def store_clock(session: WriteSession, name: str, clock: SpaceClock) -> None:
    await session.execute(
        text(
            "UPDATE socle.space SET clock_offset = :offset, clock_frozen_at = :frozen"
            " WHERE name = :name"
        ),
        {"name": name, "offset": clock.offset, "frozen": clock.frozen_at},
    )


async def store_faults(session: WriteSession, name: str, faults: list[FaultRule]) -> None:
    await session.execute(
        text("UPDATE socle.space SET faults = CAST(:faults AS jsonb) WHERE name = :name"),
        {
            "name": name,
            "faults": orjson.dumps([rule.model_dump(mode="json") for rule in faults]).decode(),
        },
    )


async def in_force_everywhere() -> None:
    """Waits until no process can still hold the former state of a space."""
    await asyncio.sleep(LEASE_SECONDS * 1.2)
