"""Fills empty tables from a log, three times as fast as counting: most facts meet no other one.

First everything that is met for the first time is written without a look at what is there, since there
is no index yet to look by; what meets an earlier fact, or is unusual in any way, is put off. Then
the indexes are made, and what was put off is counted as always. Facts give the same sums in any order
(tests/integration/usage/test_order.py), so neither way needs to know of the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from services.usage.domain.contributions import Deltas
from services.usage.domain.facts import Facts, Known
from services.usage.domain.first_sight import MAX_KEY_BYTES, FirstSight, count_first
from services.usage.events import facts_of, read_facts
from services.usage.facts_repository import FactStore
from services.usage.shadow import Shadow
from services.usage.tally import bounded, count_into
from socle.db.database import WriteSession
from socle.events.consumer import JUDGED, POISON, is_poison
from socle.events.envelope import Event, InvalidEventError
from socle.events.log import LogReader

BATCH = 10_000
PUT_OFF_BATCH = 5_000
AT_A_STRETCH = 500
"""Events that are sorted while nothing else runs: some ten milliseconds."""

Positions = dict[tuple[str, int], int]
Progress = Callable[[str, int], None]
"""What is being done, and how many events are counted."""


@dataclass
class Tally:
    events: int = 0
    unreadable: int = 0
    """Records of the log that are no event, or that no handler takes: the consumer's dead letters."""


@dataclass
class Read:
    """Some of the log, and how far that is."""

    values: list[bytes] = field(default_factory=list)
    positions: Positions = field(default_factory=dict)

    @classmethod
    async def next(cls, reader: LogReader, limit: int) -> "Read":
        read = cls()
        for batch in await reader.fetch(limit, wait_seconds=0.2):
            read.values += [stored.record.value for stored in batch.records]
            read.positions[batch.topic, batch.partition] = batch.next_offset
        return read


@dataclass
class Sorted:
    """A batch: what is met for the first time, counted, and the records of the rest."""

    new: Facts
    deltas: Deltas
    values: list[bytes]
    later: list[bytes]
    positions: Positions


@dataclass
class Replay:
    shadow: Shadow
    reader: LogReader
    progress: Progress
    tally: Tally
    positions: Positions
    _first: FirstSight = field(default_factory=FirstSight)

    async def run(self, is_at_end: Callable[[], Awaitable[bool]]) -> None:
        """`is_at_end` is asked when the reader gives nothing: on Kafka that may be for other reasons."""
        await self.shadow.make()
        await self._read(is_at_end)
        self.progress("index", self.tally.events)
        await self.shadow.index_facts()
        async for values in self.shadow.put_off_records(PUT_OFF_BATCH):
            await count_records(self.shadow.session, self.shadow.store, values, self.tally)
            await self.shadow.changes.bound()
            self.progress("put off", self.tally.events)
        self.progress("sum up", self.tally.events)
        await self.shadow.sum_up()

    async def _read(self, is_at_end: Callable[[], Awaitable[bool]]) -> None:
        """While the database writes one batch, the next one is sorted, and the one after it read."""
        writing: asyncio.Task[None] | None = None
        read = await Read.next(self.reader, BATCH)
        try:
            while True:
                if not read.positions:
                    # What is at the end is told by the positions that are written.
                    if writing:
                        await writing
                    if await is_at_end():
                        return
                ahead = asyncio.create_task(Read.next(self.reader, BATCH))
                try:
                    if read.positions:
                        batch = await self._sorted(read)
                        if writing:
                            await writing
                        writing = asyncio.create_task(self._write(batch))
                finally:
                    read = await ahead
        finally:
            if writing:
                await writing

    async def _sorted(self, read: Read) -> Sorted:
        facts, one = Facts(), Facts()
        lists = tuple(zip(facts.lists, one.lists, strict=True))
        values: list[bytes] = []
        later: list[bytes] = []
        for position, value in enumerate(read.values):
            if position % AT_A_STRETCH == 0:
                await asyncio.sleep(0)  # else the database would wait for what it is to write
            try:
                if len(value) > MAX_KEY_BYTES or (b"\\" in value and b"\\u0000" in value):
                    raise ValueError
                read_facts(one, value)
                is_first = self._first.takes(one)
            except POISON:
                is_first = False
            for all_of_them, those_of_one in lists:
                if those_of_one:
                    if is_first:
                        all_of_them += those_of_one
                    those_of_one.clear()
            (values if is_first else later).append(value)
        try:
            facts.links = bounded(Known(), facts.links)
            new, deltas = count_first(facts)
        except POISON:
            self._first.forgotten()
            return Sorted(Facts(), Deltas(), [], read.values, read.positions)
        self._first.told()
        return Sorted(new, deltas, values, later, read.positions)

    async def _write(self, batch: Sorted) -> None:
        try:
            async with self.shadow.session.begin_nested():
                await self.shadow.store.store_first(batch.new)
                await self.shadow.store.add(batch.deltas)
        except JUDGED as error:
            if not is_poison(error):
                raise
            batch.later += batch.values
        else:
            self.tally.events += len(batch.values)
        if batch.later:
            await self.shadow.put_off(batch.later)
        await self.shadow.changes.bound()
        self.positions |= batch.positions
        self.progress("read", self.tally.events)


async def count_records(
    session: WriteSession, store: FactStore, values: Sequence[bytes], tally: Tally
) -> None:
    """As the consumer counts them."""
    events = []
    for value in values:
        try:
            events.append(Event.parse(value))
        except InvalidEventError:
            tally.unreadable += 1
    tally.events += len(events)
    await count_events(session, store, events, tally)


async def count_events(
    session: WriteSession, store: FactStore, events: Sequence[Event], tally: Tally
) -> None:
    """By halves where one cannot be counted, so that it stops no other."""
    if not events:
        return
    try:
        async with session.begin_nested():
            await count_into(store, facts_of(events))
    except JUDGED as error:
        if not is_poison(error):
            raise
        if len(events) == 1:
            tally.unreadable += 1
            return
        half = len(events) // 2
        await count_events(session, store, events[:half], tally)
        await count_events(session, store, events[half:], tally)
