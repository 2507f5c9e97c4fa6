"""A document whose header could be read and holds no error, whichever door it came through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from socle.cda.metadata import DocumentMetadata
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.xds.document_entry import DocumentEntry

SOURCE = "ITI TF-3 §4.2.4.1"
# Unverified (memory): ITI TF-3 bounds an OID by 64 characters and its extension by 16. Anything
# near the page of an index would make PostgreSQL refuse the row.
MAX_UNIQUE_ID = 128


@dataclass(frozen=True, slots=True)
class Deposit:
    """`id` is its entryUUID to be; `path` says where the sender wrote its identifier; `reference` is
    its DocumentReference."""

    id: UUID
    path: str
    content: bytes = field(repr=False)
    metadata: DocumentMetadata
    ins: Ins
    entry: DocumentEntry
    reference: dict[str, Any] = field(repr=False)


def check_submission(deposits: Sequence[Deposit], path: str) -> list[Problem]:
    """What the documents of one submission, which stands at `path`, must be to one another."""
    return [*_identifiers(deposits), *_one_patient(deposits, path)]


def _identifiers(deposits: Sequence[Deposit]) -> list[Problem]:
    problems = []
    seen: dict[str, str] = {}
    for deposit in deposits:
        unique_id, path = deposit.metadata.unique_id, deposit.path
        if len(unique_id) > MAX_UNIQUE_ID:
            problems.append(
                Problem(
                    "DMP-UNIQUEID-LENGTH",
                    "/ClinicalDocument/id",
                    f"root and extension have {len(unique_id)} characters",
                    f"at most {MAX_UNIQUE_ID}",
                    source=SOURCE,
                )
            )
        earlier = seen.setdefault(unique_id, path)
        if earlier != path:
            problems.append(
                Problem(
                    "XDSRegistryDuplicateUniqueIdInMessage",
                    path,
                    f"{earlier} is a document of the same identifier",
                    "each document once in a submission",
                    source=SOURCE,
                )
            )
    return problems


def _one_patient(deposits: Sequence[Deposit], path: str) -> list[Problem]:
    patients = {deposit.ins for deposit in deposits}
    if len(patients) < 2:
        return []
    return [
        Problem(
            "XDSPatientIdDoesNotMatch",
            path,
            f"the documents are of {len(patients)} patients",
            "one patient in a submission",
            source=SOURCE,
        )
    ]
