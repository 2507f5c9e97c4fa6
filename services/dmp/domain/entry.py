"""Documents on their way into the registry, whichever door they came through."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

Key = tuple[str, UUID]
"""Space and entryUUID: clients may choose the latter, and two vendors may choose the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked document with the identifiers that it will carry; `patient` is a pseudonym."""

    id: UUID  # entryUUID
    logical_id: UUID
    chain_id: UUID
    submission_set: UUID
    space: str
    unique_id: str
    patient: str
    ins_oid: str
    matricule: str = field(repr=False)
    type_code: str
    class_code: str
    created_at: datetime
    registered_at: datetime
    sha256: bytes
    content: bytes = field(repr=False)
    metadata: bytes = field(repr=False)  # JSON of the document row
    set_metadata: bytes = field(repr=False)  # JSON of the submission set row
    submitter: str = field(repr=False)
    masked: bool
    owners: str = field(repr=False)  # separated by spaces
    event: bytes = field(repr=False)  # CloudEvents JSON
    traits: bytes = field(default=b"{}", repr=False)  # JSON: fingerprints that INS must agree with

    @property
    def key(self) -> Key:
        return self.space, self.id

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Relation:
    """`source` is an entry of the submission, `target` one that is registered (entryUUIDs)."""

    id: UUID
    kind: str  # RPLC, APND, XFRM or XFRM_RPLC
    source: UUID
    target: UUID
    path: str

    @property
    def deprecates(self) -> bool:
        return self.kind.endswith("RPLC")


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a document stands in the registry: fresh, or from an earlier deposit of the same."""

    id: UUID
    submission_set: UUID
    version: int
    registered_at: datetime
    is_new: bool
