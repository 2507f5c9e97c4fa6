"""The client's view of the selected folder: sequence numbers move only when it is told."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from services.mss.imap import store, wire
from services.mss.imap.errors import No
from services.mss.imap.sequences import SequenceSet
from socle.db.database import Database

RECENT: Final = "\\Recent"
_END: Final = 1 << 63


@dataclass
class Selected:
    """`uids[n - 1]` is the message numbered n, `flags` what the client knows of each."""

    space: str
    folder: store.Folder
    read_only: bool
    version: int = -1
    uids: list[int] = field(default_factory=list)
    recent: list[tuple[int, int]] = field(default_factory=list)
    """From and to: the UIDs of which this session was told first."""
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)

    async def load(self, database: Database) -> None:
        self.version, items = await self._look(database)
        self.flags = dict(items)
        self.uids = list(self.flags)
        if self.read_only:
            self.recent = [(self.folder.recent_from, _END)]
        elif self.uids and self.uids[-1] >= self.folder.recent_from:
            await self._claim(database)

    def is_recent(self, uid: int) -> bool:
        return any(first <= uid < end for first, end in self.recent)

    def shown(self, uid: int, flags: Sequence[str]) -> list[str]:
        """Flags as the client sees them."""
        return [*flags, RECENT] if self.is_recent(uid) else list(flags)

    def count_recent(self) -> int:
        return sum(bisect_left(self.uids, end) - bisect_left(self.uids, first)
                   for first, end in self.recent)  # fmt: skip

    async def _claim(self, database: Database) -> None:
        """After a look, so that what is seen is claimed; what came since is told as recent later."""
        async with database.write() as session:
            claimed = await store.claim_recent(session, self.space, self.folder.id)
        if claimed is None:
            return
        if self.recent and self.recent[-1][1] == claimed[0]:
            claimed = (self.recent.pop()[0], claimed[1])
        self.recent.append(claimed)

    async def news(self, database: Database, *, expunge: bool) -> list[bytes]:
        """Untagged responses for what changed since the last look.

        EXPUNGE may not be told during FETCH, STORE and SEARCH (RFC 3501 §7.4.1): without
        `expunge` what has gone stays in the view.
        """
        async with database.read() as session:
            version = await store.get_version(session, self.space, self.folder.id)
        if version == self.version:
            return []
        seen, items = await self._look(database)
        now, lines = dict(items), []
        gone = [uid for uid in self.uids if uid not in now]
        if expunge and gone:
            lines += [b"* %d EXPUNGE" % self.number_of(uid) for uid in reversed(gone)]
            self.uids = [uid for uid in self.uids if uid in now]
            self.flags = {uid: self.flags[uid] for uid in self.uids}
        fresh = [uid for uid in now if uid not in self.flags]
        self.uids += fresh
        if fresh:
            lines.append(b"* %d EXISTS" % len(self.uids))
            if not self.read_only:
                await self._claim(database)
            lines.append(b"* %d RECENT" % self.count_recent())
        for number, uid in enumerate(self.uids, 1):
            if uid in now and uid in self.flags and self.flags[uid] != now[uid]:
                shown = wire.flags(self.shown(uid, now[uid]))
                lines.append(b"* %d FETCH (UID %d FLAGS %s)" % (number, uid, shown))
        self.flags.update(now)
        if expunge or not gone:
            self.version = seen
        return lines

    async def _look(self, database: Database) -> tuple[int, list[tuple[int, tuple[str, ...]]]]:
        """The version is read first: a change in between is seen again, never missed."""
        async with database.read() as session:
            version = await store.get_version(session, self.space, self.folder.id)
            items = await store.list_items(session, self.space, self.folder.id)
        return -1 if version is None else version, items

    def chosen(self, sequence: str, *, by_uid: bool) -> list[int]:
        """The UIDs that a command names, by growing number."""
        wanted = SequenceSet(sequence)
        if by_uid:
            return wanted.select(self.uids)
        return [self.uids[n - 1] for n in wanted.select(range(1, len(self.uids) + 1))]

    def number_of(self, uid: int) -> int:
        return bisect_left(self.uids, uid) + 1

    def require_writable(self) -> None:
        if self.read_only:
            raise No("the folder was opened by EXAMINE and is read-only", "READ-ONLY")
