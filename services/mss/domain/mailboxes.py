"""Mailboxes and their folders."""

import re
from dataclasses import dataclass, field

KINDS = ("PER", "ORG", "APP", "CAB")  # spec: mss.md §1.9
# All domains of the trust space end so, but for one operator's (spec: mss.md §1.5 and §2).
ADDRESS = re.compile(r"[a-z0-9._%+-]{1,64}@([a-z0-9-]+\.)*mssante\.fr")

FOLDERS = {"INBOX": "", "Sent": "\\Sent", "Drafts": "\\Drafts", "Trash": "\\Trash"}
"""The folders of a new mailbox, with their special use (RFC 6154)."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    address: str = field(repr=False)
    kind: str
    label: str = field(repr=False)


def normalised(address: str) -> str:
    """Addresses are compared without case, as every operator does."""
    return address.strip().removeprefix("<").removesuffix(">").lower()
