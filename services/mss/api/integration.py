"""The answer of an automated mailbox to a mail with documents: integrated, or why not."""

from typing import Annotated, Any, cast
from uuid import UUID, uuid5

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.mss import repository, sending, service
from services.mss.api.fields import AddressInPath
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.integration_notice import (
    ERRORS,
    Form,
    NoNoticeError,
    Notice,
    Received,
    Result,
    SubjectForm,
    write_notice,
)
from services.mss.domain.lint.mail import Passage
from services.mss.domain.mailboxes import normalised
from services.mss.intake import Intake, Submitter
from services.mss.settings import MssSettings
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.errors import Category, DomainError

router = APIRouter(prefix="/mss", tags=["documents"])
_FORBIDDEN = {
    "not-asked": "The mail asks for no receipt (Disposition-Notification-To); form `mail` needs none.",
    "not-return-path": "The receipt is asked for at another address than the Return-Path: RFC 8098 §2.1 "
    "wants a person to confirm it (confirmed: true).",
    "is-report": "The mail is a report, or was sent by a machine: it is never answered.",
}


class NoticeIn(BaseModel):
    """`code` 900 to 906 of the table applicationErrorCondition, none for success. `form` is MDN where
    one was asked for, else an ordinary mail."""

    model_config = ConfigDict(extra="forbid")

    code: int | None = Field(None, ge=min(ERRORS), le=max(ERRORS))
    label: str = Field("", max_length=300)
    form: Form | None = None
    subject_form: SubjectForm = "ko"
    confirmed: bool = False


@router.post("/mailboxes/{address}/messages/{message}/integration", status_code=201)
async def answer_integration(
    request: Request,
    address: AddressInPath,
    message: UUID,
    caller: Professional,
    space: CallerSpace,
    body: NoticeIn,
    send: Annotated[
        bool, Query(description="false: the notice is shown as .eml and not sent")
    ] = True,
) -> Response:
    """From one of your mailboxes, on a mail that lies in it. The same answer is sent once."""
    kernel = kernel_of(request)
    assert isinstance(kernel.settings, MssSettings)
    async with kernel.database.read() as session:
        box = await service.own_mailbox(session, space.name, caller, normalised(address))
        found = await repository.get_received(session, space.name, box.address, message)
    if found is None:
        raise DomainError(
            Category.NOT_FOUND,
            "message_unknown",
            "This mailbox holds no such message from a mailbox.",
        )
    notice_id = uuid5(message, orjson.dumps([box.address, body.model_dump()]).decode())
    notice = Notice(
        result=Result(body.code, body.label),
        message_id=f"<{notice_id}@{box.address.rpartition('@')[2]}>",
        at=space.now(),
        form=body.form,
        subject_form=body.subject_form,
        is_confirmed=body.confirmed,
        max_bytes=kernel.settings.mss_max_message_bytes,
    )
    try:
        to, content = write_notice(Received(found[0], box.address, found[1], box.label), notice)
    except NoNoticeError as refusal:
        raise DomainError(
            Category.CONFLICT,
            f"notice_{refusal.reason.replace('-', '_')}",
            _FORBIDDEN[refusal.reason],
        ) from None
    if not send:
        headers = {"Content-Disposition": 'attachment; filename="message.eml"'}
        return Response(content, 200, headers, "message/rfc822")
    async with kernel.database.read() as session:
        again = await repository.find_submitted(
            session, space.name, notice.message_id, [box.address]
        )
    if again is not None:
        return _answer(again[0], 200)
    submitter = Submitter(
        space.name, box.address, caller.national_id, caller.token, Passage(protocol="http")
    )
    # A notice is a report: no report on it is wanted (RFC 8098 §3).
    envelope = Envelope(box.address, (Recipient(to, frozenset({"NEVER"})),))
    sent = await sending.send(cast(Intake, request.app.state.intake), submitter, envelope, content)
    return _answer(sent.id, 201)


def _answer(message: UUID, status: int) -> Response:
    body: dict[str, Any] = {"id": str(message)}
    return Response(orjson.dumps(body), status, media_type="application/json")
