"""/_sandbox/mss/patient-rules and the list of mailboxes, for whoever prepares a test."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.mss import patient_repository as repository
from services.mss.api.patient import view
from services.mss.domain.patient_rules import PatientRules
from socle.auth.dependencies import RequestSpace
from socle.db.sessions import ReadSession, WriteSession
from socle.http.control import sandbox_only

router = APIRouter(prefix="/_sandbox/mss", tags=["control plane"], dependencies=[sandbox_only])


@router.get("/patient-rules")
async def read_rules(space: RequestSpace, session: ReadSession) -> PatientRules:
    """What the space decides; see domain/patient_rules.py."""
    return await repository.get_rules(session, space.name)


@router.put("/patient-rules")
async def set_rules(
    rules: PatientRules, space: RequestSpace, session: WriteSession
) -> PatientRules:
    """Replaces them as a whole; what is left out is as for everybody."""
    await repository.store_rules(session, space.name, rules)
    return rules


@router.get("/patient-mailboxes")
async def list_mailboxes(
    space: RequestSpace,
    session: ReadSession,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Those that were written to or set."""
    return [view(box) for box in await repository.list_mailboxes(session, space.name, limit)]
