"""What groups documents of a patient, as XDS knows it (ITI TF-3 §4.2.3.4)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from services.dmp.domain.deposit import MAX_UNIQUE_ID, SOURCE
from socle.problems import Problem
from socle.xds.document_entry import Coded


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
    """`id` is its entryUUID to be; `path` names it to the sender; `submitted` is the List of FHIR."""

    id: UUID
    folder: Folder
    path: str
    submitted: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Filing:
    """A document, of the lot or registered, that goes into a folder, of the lot or registered: both
    by entryUUID."""

    folder: UUID
    document: UUID
    path: str


def check_folder_ids(folders: Sequence[NewFolder]) -> list[Problem]:
    """Each has an identifier of its own that an index can hold."""
    problems = []
    seen: dict[str, str] = {}
    for one in folders:
        unique_id = one.folder.unique_id
        earlier = seen.setdefault(unique_id, one.path)
        if earlier != one.path:
            problems.append(
                Problem("XDSRegistryDuplicateUniqueIdInMessage", one.path,
                        f"{earlier} is a folder of the same identifier", "one of its own",
                        source=SOURCE)
            )  # fmt: skip
        if len(unique_id) > MAX_UNIQUE_ID:
            problems.append(
                Problem("XDSRepositoryMetadataError", one.path,
                        f"its identifier has {len(unique_id)} characters",
                        f"at most {MAX_UNIQUE_ID}", source=SOURCE)
            )  # fmt: skip
    return problems
