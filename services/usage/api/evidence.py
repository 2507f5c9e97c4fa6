"""The documents behind a figure: which one counts for what, and why another does not."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from services.usage import evidence
from services.usage.api.indicators import beneficiary
from services.usage.api.inputs import FINESS, Professional
from services.usage.domain.evidence import LogicalDocument
from services.usage.evidence import Judged
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession

router = APIRouter(prefix="/usage", tags=["evidence"])

# What would have counted; the codes are those of domain/evidence.py.
REASONS = {
    "period": "the act is of another period",
    "late": "it was registered after the period had closed",
    "deleted": "it was deleted before the period closed",
    "type": "the indicator counts other types of document",
    "level": "the indicator asks for another CDA level",
    "ins": "the INS was not qualified at the deposit",
    "act": "it belongs to no declared act of the kind that the indicator asks for",
}


@router.get("/documents")
async def read_document(
    space: CallerSpace,
    session: ReadSession,
    unique_id: Annotated[str, Query(min_length=1, max_length=300, pattern=r"^[\x21-\x7e]+$")],
) -> dict[str, Any]:
    """What a document counts for, by the uniqueId of one of its versions."""
    found = await evidence.document_of(session, space, unique_id)
    return {
        "document": _document(found.document),
        "quarantined": found.is_quarantined,
        "indicators": [
            {
                "programme": it.programme.programme,
                "indicator": it.code,
                "window": it.window,
                **_verdict(it),
            }
            for it in found.judged
        ],
    }


@router.get("/indicators/{code}/documents")
async def list_documents(
    code: str,
    space: CallerSpace,
    session: ReadSession,
    structure: Annotated[str | None, Query(pattern=FINESS)] = None,
    professional: Annotated[Professional | None, Query()] = None,
    programme: str | None = None,
    window: str | None = None,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """The documents of the indicator's types in a window, each with whether it counts and why not."""
    rules, found_window, judged = await evidence.documents_behind(
        session, space, programme, code, beneficiary(structure, professional), window, after, limit
    )
    return {
        "programme": rules.programme,
        "indicator": code,
        "window": found_window,
        "documents": [{**_document(it.document), **_verdict(it)} for it in judged],
        "next": str(judged[-1].document.chain_id) if len(judged) == limit else None,
    }


def _verdict(it: Judged) -> dict[str, Any]:
    return {
        "counts": it.reason is None,
        "reason": it.reason,
        "detail": None if it.reason is None else REASONS.get(it.reason),
    }


def _document(document: LogicalDocument) -> dict[str, Any]:
    last = document.versions[-1]
    return {
        "chain_id": document.chain_id,
        "structure": document.origin.structure or None,
        "act_at": document.origin.act_at,
        "type": last.type_code,
        "level": last.level,
        "ins_qualified": last.qualified,
        "deleted_at": document.withdrawn_at,
        "acts": sorted(document.acts),
        "versions": [
            {
                "event_id": it.event_id,
                "unique_id": it.unique_id,
                "registered_at": it.registered_at,
                "level": it.level,
                "ins_qualified": it.qualified,
            }
            for it in document.versions
        ],
    }
