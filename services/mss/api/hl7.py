"""Control plane of the HL7v2 side: who sends, and what went back."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.mss import repository as mailboxes
from services.mss.api.fields import MailAddress
from services.mss.domain.mailboxes import normalised
from services.mss.hl7v2 import repository
from services.mss.hl7v2.dmp import queue
from services.mss.hl7v2.mllp import ENDPOINT, Endpoint
from services.mss.hl7v2.repository import Sender
from socle.auth.dependencies import RequestSpace
from socle.db.sessions import ReadSession, WriteSession
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only

router = APIRouter(prefix="/_sandbox/mss/hl7", tags=["control plane"], dependencies=[sandbox_only])
LIMIT = 200
_LINE = r"^[^\x00-\x1f\x7f]*$"


class SenderIn(BaseModel):
    """`application` and `facility` are MSH-3 and MSH-4; `mailbox` sends for it; `endpoint` (host:port,
    or mllps://host:port for TLS) listens for acknowledgements by MLLP, empty for none."""

    model_config = ConfigDict(extra="forbid")

    application: str = Field(max_length=200, pattern=_LINE)
    facility: str = Field("", max_length=200, pattern=_LINE)
    mailbox: MailAddress
    endpoint: str = Field("", max_length=270, pattern=rf"^({ENDPOINT})?$")


@router.put("/senders")
async def put_sender(body: SenderIn, space: RequestSpace, session: WriteSession) -> SenderIn:
    """A sender belongs to one space: MLLP names none."""
    try:
        if body.endpoint:
            Endpoint.parse(body.endpoint)
    except ValueError as error:
        raise DomainError(Category.UNPROCESSABLE, "endpoint_invalid", str(error)) from None
    sender = Sender(
        body.application, body.facility, space.name, normalised(body.mailbox), body.endpoint
    )
    if sender.mailbox not in await mailboxes.get_mailboxes(session, space.name, [sender.mailbox]):
        raise DomainError(
            Category.UNPROCESSABLE, "mailbox_unknown", "The space has no such mailbox."
        )
    if not await repository.put_sender(session, sender, replace=True):
        raise DomainError(
            Category.CONFLICT, "sender_taken", "Another space has this application and facility."
        )
    return body


@router.get("/senders")
async def list_senders(space: RequestSpace, session: ReadSession) -> list[SenderIn]:
    return [
        SenderIn(
            application=it.application,
            facility=it.facility,
            mailbox=it.mailbox,
            endpoint=it.endpoint,
        )
        for it in await repository.list_senders(session, space.name)
    ]


@router.get("/acknowledgements")
async def list_acknowledgements(
    space: RequestSpace,
    session: ReadSession,
    after: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
) -> dict[str, Any]:
    """ZAM^Z01, Z02 and Z03, oldest first, with what their sender's listener answered."""
    found = await repository.list_acknowledgements(session, space.name, after, limit)
    return {
        "acknowledgements": [
            {**it, "content": bytes(it["content"]).decode("utf-8", "replace")} for it in found
        ],
        "next_after": found[-1]["id"] if found else after,
    }


@router.get("/deposits")
async def list_deposits(
    space: RequestSpace,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
) -> dict[str, Any]:
    """What DESTDMP asked for, oldest first: `action` is empty for a new document, C for one that
    replaces, D to delete; `outcome` is null while it waits, then done, refused or expired."""
    found = await queue.list_deposits(session, space.name, after, limit)
    return {"deposits": found, "next_after": found[-1]["id"] if found else after}


@router.post("/deposits/retry")
async def retry_deposits(space: RequestSpace, session: WriteSession) -> dict[str, int]:
    """Whatever waits for its next attempt is due now."""
    return {"due": await queue.retry_all(session, space.name)}
