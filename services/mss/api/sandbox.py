"""Control plane of the mail service: mailboxes at will, mail from nowhere, a clean start."""

from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.mss import access, repository, service
from services.mss.api.fields import AddressInPath, Line, MailAddress, PartsIn
from services.mss.domain.compose import compose
from services.mss.domain.mailboxes import Mailbox, normalised
from services.mss.outgoing import Outgoing
from services.mss.purge import purge_texts
from services.mss.removal import purge_space
from services.mss.settings import MssSettings
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.clock import wall
from socle.db.sessions import WriteSession
from socle.errors import Category, DomainError, too_large
from socle.http.control import sandbox_only
from socle.pki.ca import SandboxCa
from socle.spaces import Space

router = APIRouter(prefix="/_sandbox/mss", tags=["control plane"], dependencies=[sandbox_only])


class MailboxIn(BaseModel):
    """`owners` are the IDNAT_PS of the professionals who may open it."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=320)
    kind: str = "PER"
    label: Annotated[Line, Field(min_length=1)]
    owners: list[Line] = Field([], max_length=1000)
    structure: Line = Field("", max_length=20, description="Struct_IdNat of the one responsible")


@router.post("/mailboxes", status_code=201)
async def create_mailbox(
    body: MailboxIn, space: RequestSpace, session: WriteSession
) -> dict[str, Any]:
    mailbox = Mailbox(normalised(body.address), body.kind, body.label, body.structure)
    await service.create_mailbox(session, space, mailbox, body.owners)
    return {
        "address": mailbox.address,
        "kind": mailbox.kind,
        "label": mailbox.label,
        "structure": mailbox.structure,
    }


class MailboxState(BaseModel):
    """What is left out stays as it is; `quota_bytes` null takes the limit away."""

    model_config = ConfigDict(extra="forbid")

    active: bool = True
    quota_bytes: int | None = Field(None, ge=1024, le=1 << 50)


@router.patch("/mailboxes/{address}")
async def change_mailbox(
    address: AddressInPath,
    body: MailboxState,
    space: RequestSpace,
    session: WriteSession,
) -> dict[str, Any]:
    """Closes and reopens a mailbox, limits what it may hold."""
    name = normalised(address)
    box = (await repository.get_mailboxes(session, space.name, [name])).get(name)
    if box is None:
        raise DomainError(Category.NOT_FOUND, "mailbox_unknown", "This space has no such mailbox.")
    said = body.model_fields_set
    state = MailboxState(
        active=body.active if "active" in said else box.active,
        quota_bytes=body.quota_bytes if "quota_bytes" in said else box.quota_bytes,
    )
    await access.set_state(
        session, space.name, name, active=state.active, quota_bytes=state.quota_bytes
    )
    used = await access.used_bytes(session, space.name, name)
    return {"address": name, "kind": box.kind, "used_bytes": used, **state.model_dump()}


@router.get("/ca.pem", response_class=Response)
async def sandbox_ca(request: Request) -> Response:
    """The root certificate that a mail client must trust for SMTP and IMAP."""
    root = SandboxCa.open(kernel_of(request).settings.home / "ca").root
    return Response(root.read_bytes(), media_type="application/x-pem-file")


class IncomingIn(PartsIn):
    """As if it came from another operator: no rule is asked, and nothing is told of it."""

    mailbox: MailAddress
    sender: MailAddress = Field(alias="from")
    sender_name: Line = ""


@router.post("/messages", status_code=201)
async def inject(request: Request, body: IncomingIn, space: RequestSpace) -> dict[str, str]:
    """Puts a message into the INBOX of a professional's mailbox."""
    to = normalised(body.mailbox)
    draft = body.draft(body.sender, body.sender_name, [to], [])
    return await _file(request, space, to, compose(draft, space.now()))


@router.post(
    "/mailboxes/{address}/eml",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"message/rfc822": {}}}},
)
async def inject_eml(
    request: Request, address: AddressInPath, space: RequestSpace
) -> dict[str, str]:
    """The same with a whole message, byte for byte, however broken."""
    return await _file(request, space, normalised(address), await request.body())


@router.delete("/messages", status_code=204)
async def purge(space: RequestSpace, session: WriteSession) -> None:
    """Every message of the space; mailboxes and rules stay."""
    await purge_space(session, space.name)


async def _file(request: Request, space: Space, address: str, content: bytes) -> dict[str, str]:
    kernel = kernel_of(request)
    limit = cast(MssSettings, kernel.settings).mss_max_message_bytes
    if len(content) > limit:
        raise too_large(limit)
    async with kernel.database.write() as session:
        if address not in await repository.get_mailboxes(session, space.name, [address]):
            raise DomainError(
                Category.NOT_FOUND, "mailbox_unknown", "This space has no such mailbox."
            )
        outgoing = Outgoing(session, space.name, space.now())
        message, _ = await outgoing.store(content, None)
        outgoing.deliver(address, message)
        await outgoing.file()
    return {"id": str(message)}


class PurgeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: float = Field(0, ge=0, le=36500, description="of wall time that messages are old")


@router.post("/purge")
async def purge_old(request: Request, body: PurgeIn, space: RequestSpace) -> dict[str, int]:
    """What the worker `purge` does by itself: texts of messages that lie nowhere any more are removed."""
    before = wall() - timedelta(days=body.days)
    done = await purge_texts(kernel_of(request), space.name, before)
    return {"messages": done.messages, "bytes": done.octets}
