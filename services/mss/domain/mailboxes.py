"""Mailboxes and their folders."""

import re
from dataclasses import dataclass, field
from typing import Literal

Rights = Literal["owner", "read-write", "read"]
KINDS = ("PER", "ORG", "APP", "CAB")  # spec: mss.md §1.9
# All domains of the trust space end so, but for one operator's (spec: mss.md §1.5 and §2).
ADDRESS = re.compile(r"[a-z0-9._%+-]{1,64}@([a-z0-9-]+\.)*mssante\.fr")
ANY_ADDRESS = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
"""As it may be written in a request, in or out of the trust space."""

DOMAIN = re.compile(
    r"(?=.{1,200}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+mssante\.fr"
    r"|(?:interop-)?mssante\.apicrypt\.org"
)

FOLDERS = {"INBOX": "", "Sent": "\\Sent", "Drafts": "\\Drafts", "Trash": "\\Trash"}
"""The folders of a new mailbox, with their special use (RFC 6154)."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    address: str = field(repr=False)
    kind: str
    label: str = field(repr=False)
    structure: str = ""
    """Struct_IdNat of the one that answers for it, where it is known."""

    rights: Rights = "owner"
    """What the caller may do with it."""

    active: bool = True
    quota_bytes: int | None = None


def normalised(address: str) -> str:
    """Addresses are compared without case, as every operator does."""
    return address.strip().removeprefix("<").removesuffix(">").lower()
