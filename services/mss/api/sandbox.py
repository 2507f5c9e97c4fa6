"""Control plane of the mail service: mailboxes at will."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.mss import service
from services.mss.domain.mailboxes import Mailbox, normalised
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.db.sessions import WriteSession
from socle.http.control import sandbox_only
from socle.pki.ca import SandboxCa

router = APIRouter(prefix="/_sandbox/mss", tags=["control plane"], dependencies=[sandbox_only])


class MailboxIn(BaseModel):
    """`owners` are the IDNAT_PS of the professionals who may open it."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=320)
    kind: str = "PER"
    label: str = Field(min_length=1, max_length=200)
    owners: list[str] = Field(min_length=1, max_length=1000)


@router.post("/mailboxes", status_code=201)
async def create_mailbox(
    body: MailboxIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    mailbox = Mailbox(normalised(body.address), body.kind, body.label)
    await service.create_mailbox(session, space, mailbox, body.owners)
    return {"address": mailbox.address, "kind": mailbox.kind, "label": mailbox.label}


@router.get("/ca.pem", response_class=Response)
async def sandbox_ca(request: Request) -> Response:
    """The root certificate that a mail client must trust for SMTP and IMAP."""
    root = SandboxCa.open(kernel_of(request).settings.home / "ca").root
    return Response(root.read_bytes(), media_type="application/x-pem-file")
