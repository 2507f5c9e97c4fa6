"""/_sandbox/mss/patient: the mailbox of Mon espace santé, played by whoever tests (mss.md §5).

The application's own interface is internal to the CNAM and not reproduced: these are ours, with its
reply options and error codes (mes.md §A.6).
"""

import base64
import hashlib
import json
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from services.mss.api.fields import STRICT, AttachmentIn, Line
from services.mss.conversation_repository import PatientMail
from services.mss.domain.conversation import Option
from services.mss.domain.headers import decoded, parse_header
from services.mss.domain.mailboxes import normalised
from services.mss.domain.patient_rules import State
from services.mss.intake import Intake
from services.mss.patient_letters import Letter, PatientLetters, Sent
from services.mss.patient_letters import Request as LetterRequest
from services.mss.patient_repository import PatientMailbox
from services.mss.patient_side import Options, PatientSide
from socle.auth.dependencies import RequestSpace, kernel_of
from socle.errors import Category, DomainError
from socle.http.control import sandbox_only
from socle.spaces import Space

router = APIRouter(prefix="/_sandbox/mss/patient", tags=["patient"], dependencies=[sandbox_only])
LIMIT = 200
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x20-\x7e]*$",
        description="of the caller's choice, for each patient: makes the request repeatable",
    ),
]  # fmt: skip


class PatientIn(BaseModel):
    """In the body, because a path or a query would carry the INS into access logs."""

    model_config = STRICT

    address: str = Field(max_length=64, description="<INS with key>@patient.mssante.fr")


class MailboxIn(PatientIn):
    """What is left out stays. `email` is the ordinary address to which notices go."""

    state: State | None = None
    name: Line | None = Field(None, description="Prénom Nom, as professionals see it")
    email: Annotated[str, Field(max_length=200, pattern=r"^([^@\s]+@[^@\s]+)?$")] | None = None


class InboxIn(PatientIn):
    after: int = Field(0, ge=0, le=2**62, description="UIDs above this one")
    limit: int = Field(LIMIT, ge=1, le=LIMIT)


class MessageIn(PatientIn):
    id: UUID


class LetterIn(PatientIn):
    text: str = Field(max_length=1_000_000)
    subject: Line = ""
    attachments: list[AttachmentIn] = Field([], max_length=50)
    written_by: Line = Field("", description="who writes for the patient; the body says so")

    def letter(self) -> Letter:
        files = tuple(one.attachment() for one in self.attachments)
        return Letter(self.text, self.subject, files, self.written_by)


class ReplyIn(LetterIn):
    id: UUID
    option: Option = "REPLY"


class WriteIn(LetterIn):
    to: str = Field(max_length=320)


@router.post("/mailbox")
async def mailbox(request: Request, body: MailboxIn, space: RequestSpace) -> dict[str, Any]:
    """The mailbox, after the changes that are given: state, name, ordinary address."""
    side = await _side(request, space, body)
    if body.state is None and body.name is None and body.email is None:
        return view(await side.mailbox())
    return view(await side.set_mailbox(state=body.state, name=body.name, email=body.email))


@router.post("/messages")
async def messages(request: Request, body: InboxIn, space: RequestSpace) -> dict[str, Any]:
    """What the patient received, by growing UID, with what they may do with each."""
    side = await _side(request, space, body)
    found = await side.inbox(body.after, body.limit)
    return {
        "messages": [_message(*one) for one in await side.with_options(found)],
        "next_after": found[-1].uid if found else body.after,
    }


@router.post("/messages/read")
async def read(request: Request, body: MessageIn, space: RequestSpace) -> dict[str, Any]:
    """Opens a message: the receipt that was asked for leaves, the first time."""
    side = await _side(request, space, body)
    mail, content = await side.read(body.id)
    ((mail, options),) = await side.with_options([mail])
    return {**_message(mail, options), "data": base64.b64encode(content).decode()}


@router.post("/messages/reply", status_code=201)
async def reply(
    request: Request, response: Response, body: ReplyIn, space: RequestSpace, key: Key = None
) -> dict[str, str]:
    """To the contact of a message whose `reply` is REPLY; `option` REPLY_TO_ALL also to `reply_to_all`.

    200 for an `Idempotency-Key` under which it was sent already.
    """
    letters = PatientLetters(await _side(request, space, body))
    sent = await letters.reply(body.id, body.letter(), body.option, _request(key, body))
    return _sent(response, sent)


@router.post("/messages/write", status_code=201)
async def write(
    request: Request, response: Response, body: WriteIn, space: RequestSpace, key: Key = None
) -> dict[str, str]:
    """A new message to an open contact, or to a pharmacy. Repeatable as a reply is."""
    letters = PatientLetters(await _side(request, space, body))
    sent = await letters.write(normalised(body.to), body.letter(), _request(key, body))
    return _sent(response, sent)


@router.post("/contacts")
async def contacts(request: Request, body: PatientIn, space: RequestSpace) -> list[dict[str, Any]]:
    """`open` false: the professional has put an end to the exchange."""
    found = await (await _side(request, space, body)).contacts()
    return [
        {"address": one.address, "typeBal": one.kind, "open": one.open, "since": one.since}
        for one in found
    ]


@router.post("/notifications")
async def notifications(
    request: Request, body: PatientIn, space: RequestSpace
) -> list[dict[str, Any]]:
    """The notices to the ordinary address, newest first: without content, and not really sent."""
    found = await (await _side(request, space, body)).notifications(LIMIT)
    return [
        {"id": str(notice), "to": email, "sent_at": at, "kind": "NOTIF_MESSAGE"}
        for notice, email, at in found
    ]


@router.post("/close")
async def close(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    return await _set_state(request, space, body, "closed")


@router.post("/oppose")
async def oppose(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    return await _set_state(request, space, body, "opposed")


@router.post("/reopen")
async def reopen(request: Request, body: PatientIn, space: RequestSpace) -> dict[str, Any]:
    return await _set_state(request, space, body, "active")


async def _set_state(
    request: Request, space: Space, body: PatientIn, state: State
) -> dict[str, Any]:
    side = await _side(request, space, body)
    return view(await side.set_mailbox(state=state, name=None, email=None))


async def _side(request: Request, space: Space, body: PatientIn) -> PatientSide:
    intake = cast(Intake, request.app.state.intake)
    patient = await intake.patients.find(space.name, normalised(body.address))
    if patient is None or patient.is_automatic:
        raise DomainError(
            Category.NOT_FOUND,
            "patient_unknown",
            "This is not the address of a patient whose INS is qualified in this space.",
        )
    return PatientSide(kernel_of(request), space, patient)


def view(box: PatientMailbox) -> dict[str, Any]:
    return {"address": box.address, "state": box.state, "name": box.name, "email": box.email}


def _message(mail: PatientMail, options: Options) -> dict[str, Any]:
    """`options` are those that the application shows; `reply_to_all` whom REPLY_TO_ALL reaches."""
    header = parse_header(mail.header)
    in_copy = options.in_copy if mail.reply == "REPLY" else []
    return {
        "id": str(mail.message),
        "uid": mail.uid,
        "size": mail.size,
        "received_at": mail.received_at,
        "from": decoded(header.get("From")),
        "subject": decoded(header.get("Subject")),
        "message_id": str(header.get("Message-ID", "")),
        "contact": mail.contact,
        "reply": mail.reply,
        "options": [
            mail.reply,
            *(["REPLY_TO_ALL"] if in_copy else []),
            *(["NEW_MESSAGE"] if options.may_write else []),
        ],
        "reply_to_all": [mail.contact, *in_copy] if in_copy else [],
        "acknowledge": mail.receipt_to is not None,
        "read_at": mail.read_at,
    }


def _request(key: str | None, body: LetterIn) -> LetterRequest | None:
    """Whatever text it is: half of a surrogate pair too."""
    if key is None:
        return None
    asked = json.dumps([type(body).__name__, body.model_dump(mode="python")], default=str)
    return LetterRequest(key, hashlib.sha256(asked.encode()).digest())


def _sent(response: Response, sent: Sent) -> dict[str, str]:
    if sent.again:
        response.status_code = 200
    return {"id": str(sent.message), "message_id": sent.message_id}
