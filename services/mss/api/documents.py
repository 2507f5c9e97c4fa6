"""A conformant mail from CDA documents: what a right one looks like, sent or only shown."""

from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from services.mss import letters
from services.mss.api.fields import MailAddress, MessageId, decode_base64
from services.mss.domain.letter import DEFAULT_NIL, Letter
from services.mss.domain.lint.mail import Passage
from services.mss.intake import Intake, Submitter
from services.mss.letters import Given
from services.mss.sending import problem_of, shown
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.errors import Category, DomainError
from socle.idgen import uuid7
from socle.problems import Problem
from socle.xdm.build import MAX_DOCUMENTS
from socle.xdm.layout import Action

router = APIRouter(prefix="/mss", tags=["documents"])
MAX_RECIPIENTS = 100
Line = Annotated[str, Field(max_length=900)]


class DocumentIn(BaseModel):
    """`content` is the CDA document in base64; `action` C replaces, D asks to delete."""

    model_config = ConfigDict(extra="forbid")

    content: str
    action: Action = ""


class LetterIn(BaseModel):
    """What is left out is made from the documents: subject, headers, archive, PDF copies, text.

    `message_id` makes the request repeatable. `final` refuses the patient's answer (X-MSS-MES: FIN).
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: MailAddress = Field(alias="from")
    to: list[MailAddress] = Field(min_length=1, max_length=MAX_RECIPIENTS)
    documents: list[DocumentIn] = Field(default_factory=list, max_length=MAX_DOCUMENTS)
    subject: Line = ""
    text: str = Field("", max_length=100_000)
    nil: str = Field(DEFAULT_NIL, pattern=r"^[A-Za-z0-9._-]{1,40}$")
    reply_to: MailAddress | None = None
    read_receipt: bool = False
    final: bool = False
    message_id: MessageId | None = None


def _schema() -> dict[str, Any]:
    """Written out, because the OpenAPI document has no place for definitions of a body read by hand."""
    schema = LetterIn.model_json_schema()
    schema["properties"]["documents"]["items"] = schema.pop("$defs")["DocumentIn"]
    return schema


_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["from", "to", "document"],
                    "properties": {
                        "from": {"type": "string"},
                        "to": {"type": "array", "items": {"type": "string"}},
                        "document": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                        },
                    },
                }
            },
        },
    }
}


@router.post("/documents", status_code=201, openapi_extra=_SCHEMA, response_model=None)
async def send_documents(
    request: Request,
    caller: Professional,
    space: CallerSpace,
    send: Annotated[
        bool, Query(description="false: the message is shown as .eml and not sent")
    ] = True,
) -> Response:
    """JSON, or multipart with the same fields and the documents as files named `document`.

    200 for a `message_id` that was sent already, 422 where no recipient exists.
    """
    asked, given = await _read(request)
    if not given:
        raise _invalid("/documents", "no document", f"1 to {MAX_DOCUMENTS} CDA documents")
    kernel = kernel_of(request)
    address, label = await letters.sender_of(kernel, space, caller, asked.sender)
    letter = Letter(
        sender=address,
        sender_label=label,
        recipients=tuple(asked.to),
        documents=letters.read_documents(given),
        message_id=asked.message_id or f"<{uuid7()}@{address.rpartition('@')[2]}>",
        nil=asked.nil,
        subject=asked.subject,
        text=asked.text,
        reply_to=asked.reply_to or "",
        read_receipt_to=address if asked.read_receipt else "",
        is_final=asked.final,
    )
    if not send:
        content = await letters.write(space, letter)
        headers = {"Content-Disposition": 'attachment; filename="message.eml"'}
        return Response(content, 200, headers, "message/rfc822")
    submitter = Submitter(
        space.name, address, caller.national_id, caller.token, Passage(protocol="http")
    )
    intake = cast(Intake, request.app.state.intake)
    sent = await letters.post(intake, submitter, space, letter)
    if sent.again is not None:
        return Response(_json(sent.again, letter, again=True), 200, media_type="application/json")
    return _answer(sent, letter)


def _answer(sent: letters.Sent, letter: Letter) -> Response:
    tried = sent.attempt
    assert tried is not None
    if tried.id is None:
        raise DomainError(
            Category.UNPROCESSABLE,
            "recipients_refused",
            "No recipient takes this message; nothing was stored.",
            problems=[problem_of(number, one) for number, one in enumerate(tried.results)],
        )
    recipients = [shown(one) for one in tried.results]
    return Response(
        _json(tried.id, letter, recipients=recipients), 201, media_type="application/json"
    )


def _json(message: UUID, letter: Letter, **more: Any) -> bytes:
    return orjson.dumps({"id": str(message), "message_id": letter.message_id, **more})


async def _read(request: Request) -> tuple[LetterIn, list[Given]]:
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=MAX_DOCUMENTS, max_fields=200) as form:
            return await _of_form(form)
    asked = _validated(await request.body())
    return asked, [_decoded(number, it) for number, it in enumerate(asked.documents)]


async def _of_form(form: FormData) -> tuple[LetterIn, list[Given]]:
    """One `action` for all documents."""
    for name, value in form.multi_items():
        # `documents`, `document[]` and `file` are what libraries call it: left out, it would be missed.
        if isinstance(value, UploadFile) and name != "document":
            raise _invalid(f"/{name[:40]}", "no file has this name", "document, for each of them")
    values: dict[str, Any] = {
        key: value for key, value in form.items() if isinstance(value, str) and key != "action"
    }
    values["to"] = [str(it) for it in form.getlist("to")]
    values["documents"] = [{"content": "", "action": str(form.get("action") or "")}]
    asked = _validated(values)
    action = asked.documents[0].action
    files = [it for it in form.getlist("document") if isinstance(it, UploadFile)]
    return asked, [Given(await it.read(), action) for it in files]


def _validated(given: bytes | dict[str, Any]) -> LetterIn:
    try:
        if isinstance(given, bytes):
            return LetterIn.model_validate_json(given)
        return LetterIn.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


def _decoded(number: int, document: DocumentIn) -> Given:
    try:
        return Given(decode_base64(document.content), document.action)
    except ValueError:
        raise _invalid(f"/documents/{number}/content", "it is no base64", "base64") from None


def _invalid(path: str, message: str, expected: str) -> DomainError:
    problem = Problem("MSS-DOCUMENTS", path, message, expected)
    return DomainError(
        Category.UNPROCESSABLE, "documents_invalid", f"{path}: {message}.", problems=[problem]
    )
