"""The log as its writers and readers see it: Kafka, or a table, behind one interface."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct, field


class LogUnavailableError(Exception):
    """The log cannot be reached now; the caller keeps what it has and tries again."""


# Millions of these are made when a log is read again: a struct takes a sixth of a frozen dataclass's time.
class Record(Struct, frozen=True):
    topic: str
    key: str
    value: bytes
    headers: dict[str, str] = field(default_factory=dict)


class StoredRecord(Struct, frozen=True):
    record: Record
    offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition, in order."""

    topic: str
    partition: int
    records: Sequence[StoredRecord]

    @property
    def first_offset(self) -> int:
        return self.records[0].offset

    @property
    def next_offset(self) -> int:
        return self.records[-1].offset + 1


# Where a consumer left off: (topic, partition) -> next offset, or None before the first record.
LoadPosition = Callable[[str, int], Awaitable[int | None]]


class LogReader(Protocol):
    async def fetch(self, limit: int, wait_seconds: float) -> list[Batch]:
        """At most `limit` records, waiting up to `wait_seconds` for the first."""

    async def committed(self, batch: Batch) -> None:
        """Told after the results and the offset of a batch are committed."""

    async def reload(self, topic: str, partition: int) -> None:
        """Goes back to the stored position, after a batch that was not committed."""


class EventLog(Protocol):
    async def identity(self) -> str:
        """Which log this is: offsets of one mean nothing in another."""

    async def append(self, records: Sequence[Record]) -> None:
        """Durable on return, in order per key; may repeat records after a failure.

        Raises LogUnavailableError when nothing can be said of the records.
        """

    def reader(
        self, consumer: str, topics: Sequence[str], load_position: LoadPosition
    ) -> AbstractAsyncContextManager[LogReader]: ...

    async def read(self, topic: str, after: int, limit: int) -> list[StoredRecord]:
        """Records of a topic for a person to look at, from partition 0 on, oldest first."""

    async def close(self) -> None: ...
