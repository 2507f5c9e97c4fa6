"""What groups documents of a patient, as XDS knows it (ITI TF-3 §4.2.3.4)."""

from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from services.dmp.domain.document_entry import Coded


@dataclass(frozen=True, slots=True)
class Folder:
    """`patient_id` is a CX; when it was last added to, the registry says."""

    unique_id: str
    patient_id: str = field(repr=False)
    codes: tuple[Coded, ...] = ()
    title: str = field(default="", repr=False)
    comments: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> "Folder":
        """What `as_json` gave, through JSON."""
        return cls(**{**stored, "codes": tuple(Coded(**one) for one in stored["codes"])})


@dataclass(frozen=True, slots=True)
class NewFolder:
    """`id` is its entryUUID to be; `path` names it to the sender."""

    id: UUID
    folder: Folder
    path: str


@dataclass(frozen=True, slots=True)
class Filing:
    """A document, of the lot or registered, that goes into a folder, of the lot or registered: both
    by entryUUID."""

    folder: UUID
    document: UUID
    path: str
