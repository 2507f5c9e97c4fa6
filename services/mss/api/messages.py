"""Sending and removing over HTTP, so that a test needs no mail client (spec: mss.md §8)."""

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field

from services.mss import removal, service
from services.mss.access import require_writer
from services.mss.api.fields import AddressInPath, MailAddress, PartsIn
from services.mss.domain.compose import compose
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.line_ends import with_crlf
from services.mss.domain.lint.mail import Passage
from services.mss.domain.mailboxes import normalised
from services.mss.intake import Intake, Submitter
from services.mss.sending import SentMessage, envelope_of, send, shown
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.auth.subject import Subject
from socle.db.sessions import WriteSession
from socle.errors import Category, DomainError, too_large
from socle.spaces import Space

router = APIRouter(prefix="/mss", tags=["messages"])
MAX_RECIPIENTS = 100
Notify = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]


class MessageIn(PartsIn):
    """`notify` and `ret` are those of RFC 3461; `envelope_id` comes back in reports."""

    sender: MailAddress = Field(alias="from", description="one of your mailboxes")
    to: list[MailAddress] = Field(min_length=1, max_length=MAX_RECIPIENTS)
    cc: list[MailAddress] = Field([], max_length=MAX_RECIPIENTS)
    notify: list[Notify] = Field([], max_length=4)
    ret: Literal["FULL", "HDRS", ""] = ""
    envelope_id: str = Field("", max_length=100, pattern=r"^[\x20-\x7e]*$")

    def envelope(self) -> Envelope:
        addresses = dict.fromkeys(normalised(one) for one in (*self.to, *self.cc))
        said = _notify(self.notify)
        recipients = tuple(Recipient(one, said) for one in addresses)
        return Envelope(normalised(self.sender), recipients, self.ret, self.envelope_id)


@router.post("/messages", status_code=201)
async def send_message(
    request: Request, body: MessageIn, caller: Professional, space: CallerSpace
) -> dict[str, Any]:
    """Written from its fields. 201: at least one recipient's mailbox has it, or a report says why not;
    422: nobody takes it, and nothing was stored."""
    envelope = body.envelope()
    async with kernel_of(request).database.read() as session:
        box = await service.own_mailbox(session, space.name, caller, envelope.sender)
    require_writer(box)
    draft = body.draft(box.address, box.label, body.to, body.cc)
    return _sent(await _submit(request, caller, space, envelope, compose(draft, space.now())))


@router.post(
    "/messages/eml",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"message/rfc822": {}}}},
)
async def send_eml(
    request: Request,
    caller: Professional,
    space: CallerSpace,
    notify: Annotated[list[Notify] | None, Query(max_length=4)] = None,
) -> dict[str, Any]:
    """A whole message, from its From to its To and Cc; only its line ends are made CRLF."""
    content = with_crlf(await request.body())
    limit = intake_of(request).settings.mss_max_message_bytes
    if len(content) > limit:
        raise too_large(limit)
    envelope = envelope_of(content, _notify(notify or []))
    if len(envelope.recipients) > MAX_RECIPIENTS:
        raise DomainError(
            Category.UNPROCESSABLE, "too_many_recipients", f"At most {MAX_RECIPIENTS} are taken."
        )
    async with kernel_of(request).database.read() as session:
        require_writer(await service.own_mailbox(session, space.name, caller, envelope.sender))
    return _sent(await _submit(request, caller, space, envelope, content))


@router.delete("/messages/{message}")
async def delete_message(
    message: UUID, caller: Professional, space: CallerSpace, session: WriteSession
) -> dict[str, int]:
    """Out of every folder of your mailboxes; `removed` says from how many."""
    removed = await removal.remove_message(session, space.name, caller.national_id, message)
    if not removed:
        raise DomainError(
            Category.NOT_FOUND, "message_unknown", "No mailbox of yours holds this message."
        )
    return {"removed": removed}


@router.delete("/mailboxes/{address}/messages")
async def empty_mailbox(
    address: AddressInPath,
    caller: Professional,
    space: CallerSpace,
    session: WriteSession,
) -> dict[str, int]:
    """All of its folders."""
    box = await service.own_mailbox(session, space.name, caller, normalised(address))
    require_writer(box)
    return {"removed": await removal.empty_mailbox(session, space.name, box.address)}


def intake_of(request: Request) -> Intake:
    return cast(Intake, request.app.state.intake)


async def _submit(
    request: Request, caller: Subject, space: Space, envelope: Envelope, content: bytes
) -> SentMessage:
    submitter = Submitter(
        space.name, envelope.sender, caller.national_id, caller.token, Passage(protocol="http")
    )
    return await send(intake_of(request), submitter, envelope, content)


def _notify(words: list[Notify]) -> frozenset[str] | None:
    if "NEVER" in words and len(set(words)) > 1:
        raise DomainError(Category.INCORRECT, "notify", "NEVER stands alone (RFC 3461 §4.1).")
    return frozenset(words) or None


def _sent(sent: SentMessage) -> dict[str, Any]:
    return {"id": str(sent.id), "recipients": [shown(one) for one in sent.results]}
