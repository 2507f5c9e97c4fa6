"""The facts that the DMP emits and reads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from socle.cda.metadata import DocumentMetadata
from socle.events.envelope import Event
from socle.events.topics import topic_of
from socle.ids.ins import Ins

DOCUMENT_REGISTERED = "dmp.document.registered.v1"
TOPIC = topic_of(DOCUMENT_REGISTERED)
INS_QUALIFIED = "ins.identity.qualified.v1"
INS_DISQUALIFIED = "ins.identity.disqualified.v1"


class IdentityQualification(BaseModel):
    """`data` of the ins.identity events, as far as the DMP needs it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    patient: str
    status: str
    qualified: bool


def document_registered(
    space: str,
    patient: str,
    ins: Ins,
    metadata: DocumentMetadata,
    *,
    entry_id: UUID,
    logical_id: UUID,
    at: datetime,
    traceparent: str,
) -> Event:
    """Codes and identifiers only: the author's structure is what the counters group by."""
    structure = metadata.author.structure if metadata.author else None
    data: dict[str, Any] = {
        "logical_id": str(logical_id),
        "entry_id": str(entry_id),
        "unique_id": metadata.unique_id,
        "version": 1,
        "type_code": metadata.type_code.code,
        "class_code": metadata.class_code.code if metadata.class_code else "",
        "format_code": metadata.format_code.code,
        "level": metadata.level,
        "mime": metadata.mime_type,
        "size": metadata.size,
        "sha256": metadata.sha256,
        "patient": patient,
        "ins": {"oid": ins.oid, "qualified": True, "status": "QUAL"},
        "author": {
            "structure": {"kind": structure.kind, "number": structure.number} if structure else None
        },
        "created_at": metadata.creation_time.isoformat(),
        "registered_at": at.isoformat(),
    }
    return Event.new(
        DOCUMENT_REGISTERED,
        source="/dmp",
        subject=patient,
        space=space,
        time=at,
        data=data,
        traceparent=traceparent,
    )
