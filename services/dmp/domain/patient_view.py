"""What a patient sees of their record, and what they may do with each document (mes.md §A.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.dmp.domain.visibility import (
    HIDDEN_FROM_PATIENT,
    HIDDEN_FROM_REPRESENTATIVES,
    MASKED,
)

WRITTEN_BY_PATIENT: Final = "PATIENT"
"""The owner of what the patient added."""

CHANGEABLE: Final = frozenset({"N", MASKED, HIDDEN_FROM_REPRESENTATIVES})
"""What a patient decides; that a document waits for its announcement is the professional's."""

PATIENT_TYPES: Final = frozenset(
    {*(f"DOCPAT0{n}" for n in range(1, 10)), *(f"EXPPAT_{n}" for n in range(1, 4))}
)
MEDIA_TYPES: Final = {
    "application/pdf": "application/pdf",
    "text/plain": "text/plain",
    "text/rtf": "text/rtf",
    "image/jpeg": "image/jpeg",
    "image/tiff": "image/tiff",
}
MAX_UPLOAD_BYTES: Final = 5_000_000
MAX_DELETED_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class DocumentRights:
    """By the names of the application. A professional's document can be hidden, not edited."""

    can_owner_delete: bool
    can_update_confidentiality_only: bool


def is_shown(codes: Sequence[str], *, to_representative: bool) -> bool:
    """To the patient, or to the legal representative of a minor."""
    if HIDDEN_FROM_PATIENT in codes:
        return False
    return not (to_representative and HIDDEN_FROM_REPRESENTATIVES in codes)


def rights_on(owners: Sequence[str]) -> DocumentRights:
    own = WRITTEN_BY_PATIENT in owners
    return DocumentRights(can_owner_delete=own, can_update_confidentiality_only=not own)
