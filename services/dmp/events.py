"""The facts that the DMP emits and reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socle.cda.metadata import DocumentMetadata
from socle.events.envelope import Event
from socle.events.topics import topic_of
from socle.ids.ins import Ins
from socle.ids.structures import StructureId

DOCUMENT_REGISTERED = "dmp.document.registered.v1"
DOCUMENT_REPLACED = "dmp.document.replaced.v1"
VISIBILITY_CHANGED = "dmp.document.visibility_changed.v1"
DOCUMENT_ARCHIVED = "dmp.document.archived.v1"
DOCUMENT_UNARCHIVED = "dmp.document.unarchived.v1"
DOCUMENT_DELETED = "dmp.document.deleted.v1"
DOCUMENT_CONSULTED = "dmp.document.consulted.v1"
DOCUMENT_REFUSED = "dmp.document.refused.v1"
MAX_ACTS, MAX_ACT_ID = 10, 200
TOPIC = topic_of(DOCUMENT_REGISTERED)
INS_QUALIFIED = "ins.identity.qualified.v1"
INS_DISQUALIFIED = "ins.identity.disqualified.v1"


class IdentityQualification(BaseModel):
    """`data` of the ins.identity events, as far as the DMP needs it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    patient: str
    status: str
    qualified: bool
    fingerprints: dict[str, str] = Field({}, repr=False)


def document_registered(
    space: str,
    patient: str,
    ins: Ins,
    metadata: DocumentMetadata,
    *,
    entry_id: UUID,
    logical_id: UUID,
    chain_id: UUID,
    confidentiality: Sequence[str],
    at: datetime,
    traceparent: str,
) -> Event:
    """Codes and identifiers only: the author's structure is what the counters group by, and the stay or
    consultation what they count once."""
    structure = metadata.author.structure if metadata.author else None
    professional = metadata.author.professional if metadata.author else None
    data: dict[str, Any] = {
        "logical_id": str(logical_id),
        "entry_id": str(entry_id),
        "chain_id": str(chain_id),
        "unique_id": metadata.unique_id,
        "version": 1,
        "type_code": metadata.type_code.code,
        "class_code": metadata.class_code.code if metadata.class_code else "",
        "format_code": metadata.format_code.code,
        "level": metadata.level,
        "confidentiality": list(confidentiality),
        "mime": metadata.mime_type,
        "size": metadata.size,
        "sha256": metadata.sha256,
        "patient": patient,
        "ins": {"oid": ins.oid, "qualified": True, "status": "QUAL"},
        "author": {
            "structure": {"kind": structure.kind, "number": structure.number}
            if structure
            else None,
            "professional": professional.idnat if professional else None,
        },
        "acts": _acts(metadata, ins),
        "created_at": metadata.creation_time.isoformat(),
        "registered_at": at.isoformat(),
    }
    return _event(DOCUMENT_REGISTERED, space, patient, data, at, traceparent)


def _acts(metadata: DocumentMetadata, ins: Ins) -> list[str]:
    """The author's own numbers; one in which somebody has put the patient's is left out."""
    numbers = (it.extension or it.root for it in metadata.encounter_ids)
    return list(
        dict.fromkeys(
            it
            for it in numbers
            if 0 < len(it) <= MAX_ACT_ID and it.isprintable() and ins.matricule not in it
        )
    )[:MAX_ACTS]


def document_replaced(
    space: str,
    patient: str,
    *,
    entry_id: UUID,
    logical_id: UUID,
    chain_id: UUID,
    by_entry: UUID,
    by_logical: UUID,
    at: datetime,
    traceparent: str,
) -> Event:
    """Told beside the registration of the successor, which has the same `chain_id`."""
    data = {
        "entry_id": str(entry_id),
        "logical_id": str(logical_id),
        "chain_id": str(chain_id),
        "patient": patient,
        "replaced_by": {"entry_id": str(by_entry), "logical_id": str(by_logical)},
        "replaced_at": at.isoformat(),
    }
    return _event(DOCUMENT_REPLACED, space, patient, data, at, traceparent)


def visibility_changed(
    space: str,
    patient: str,
    *,
    entry_id: UUID,
    logical_id: UUID,
    chain_id: UUID,
    version: int,
    confidentiality: Sequence[str],
    at: datetime,
    traceparent: str,
) -> Event:
    """`entry_id` and `version` are of the new version."""
    data = {
        "entry_id": str(entry_id),
        "logical_id": str(logical_id),
        "chain_id": str(chain_id),
        "version": version,
        "patient": patient,
        "confidentiality": list(confidentiality),
        "changed_at": at.isoformat(),
    }
    return _event(VISIBILITY_CHANGED, space, patient, data, at, traceparent)


def status_changed(
    kind: str,
    space: str,
    patient: str,
    *,
    entry_id: UUID,
    logical_id: UUID,
    chain_id: UUID,
    at: datetime,
    traceparent: str,
) -> Event:
    """`kind` is DOCUMENT_ARCHIVED, DOCUMENT_UNARCHIVED or DOCUMENT_DELETED."""
    data = {
        "entry_id": str(entry_id),
        "logical_id": str(logical_id),
        "chain_id": str(chain_id),
        "patient": patient,
        "changed_at": at.isoformat(),
    }
    return _event(kind, space, patient, data, at, traceparent)


def document_consulted(
    space: str,
    patient: str,
    *,
    entry_id: UUID,
    logical_id: UUID,
    chain_id: UUID,
    purpose: str,
    door: str,
    at: datetime,
    traceparent: str,
) -> Event:
    """Not by whom: who counts readings counts no people."""
    data = {
        "entry_id": str(entry_id),
        "logical_id": str(logical_id),
        "chain_id": str(chain_id),
        "patient": patient,
        "purpose": purpose,
        "door": door,
        "consulted_at": at.isoformat(),
    }
    return _event(DOCUMENT_CONSULTED, space, patient, data, at, traceparent)


def document_refused(
    space: str,
    patient: str | None,
    *,
    structure: StructureId | None,
    professional: str | None,
    documents: int,
    unique_ids: Sequence[str],
    type_codes: Sequence[str],
    door: str,
    rules: Sequence[str],
    at: datetime,
    traceparent: str,
) -> Event:
    """`patient` is None where no document of the submission tells one."""
    data = {
        "patient": patient,
        "structure": {"kind": structure.kind, "number": structure.number} if structure else None,
        "professional": professional,
        "documents": documents,
        "unique_ids": [one[:256] for one in unique_ids],
        "type_codes": [one[:64] for one in type_codes],
        "door": door,
        "rules": list(dict.fromkeys(rules)),
        "refused_at": at.isoformat(),
    }
    return _event(DOCUMENT_REFUSED, space, patient or "unknown", data, at, traceparent)


def _event(
    kind: str, space: str, patient: str, data: dict[str, Any], at: datetime, traceparent: str
) -> Event:
    return Event.new(
        kind,
        source="/dmp",
        subject=patient,
        space=space,
        time=at,
        data=data,
        traceparent=traceparent,
    )
