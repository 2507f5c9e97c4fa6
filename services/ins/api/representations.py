"""/ins/identities/{id}/representations: the identity as HL7v2, CDA, XDS and FHIR carry it."""

from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request

from services.ins import repository
from services.ins.domain.representations import (
    pid_segment,
    record_target,
    transmissible_ins,
    zfd_segment,
)
from services.ins.fhir.patient import patient
from services.ins.service import unknown_identity
from services.ins.settings import InsSettings
from socle.auth.dependencies import CallerSpace, kernel_of
from socle.db.sessions import ReadSession

router = APIRouter(prefix="/ins/identities", tags=["identities"])
LOCAL_AUTHORITY = "SOCLE"
LOCAL_OID = "2.25.93931917405676971467416689278384836632"
"""Of the sandbox's local numbers: a UUID-based OID, hence nobody's."""


@router.get("/{identity_id}/representations")
async def read(
    identity_id: UUID, request: Request, space: CallerSpace, session: ReadSession
) -> dict[str, Any]:
    """What a message about this patient should say; without the INS unless it is qualified."""
    identity = await repository.get_identity(session, space.name, identity_id)
    if identity is None:
        raise unknown_identity()
    ins = transmissible_ins(identity)
    settings = cast(InsSettings, kernel_of(request).settings)
    return {
        "hl7v2": {"PID": pid_segment(identity, LOCAL_AUTHORITY), "ZFD": zfd_segment(identity)},
        "cda": record_target(identity, LOCAL_OID).decode(),
        "xds_patient_id": ins.cx if ins else None,
        "citizen_address": ins.citizen_address if ins else None,
        "fhir": patient(identity, settings.ins_fr_core),
    }
