"""What one transaction will deliver: all of it is stored first, then filed in one order.

Two transactions that deliver to the same mailboxes lock their folders; sorted, they cannot block each
other for ever.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.mss import repository
from services.mss.domain.headers import read_facts, split_header
from socle.db.database import WriteSession


@dataclass
class Outgoing:
    session: WriteSession
    space: str
    at: datetime
    _deliveries: list[tuple[str, str, UUID]] = field(default_factory=list)

    async def store(self, content: bytes, sender: str | None) -> tuple[UUID, bool]:
        """The message and whether it is new; see repository.insert_message."""
        sha256, header = hashlib.sha256(content).digest(), content[: split_header(content)]
        await repository.insert_body(self.session, self.space, sha256, content)
        return await repository.insert_message(
            self.session,
            self.space,
            sha256=sha256,
            size=len(content),
            header=header,
            sender=sender,
            message_id=read_facts(header).message_id,
            accepted_at=self.at,
        )

    def deliver(self, address: str, message: UUID, folder: str = "INBOX") -> None:
        self._deliveries.append((address, folder, message))

    async def file(self) -> None:
        for address, folder, message in sorted(self._deliveries):
            await repository.deliver(self.session, self.space, address, message, self.at, folder)
        self._deliveries.clear()
