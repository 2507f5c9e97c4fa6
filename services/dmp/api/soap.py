"""What the four SOAP services share: reading a message and its caller, writing the answer."""

from collections.abc import Sequence
from typing import cast

from fastapi import Request, Response
from lxml import etree

from services.dmp.settings import DmpSettings
from services.dmp.xds.access import Caller, caller_of
from services.dmp.xds.message import Message, read_message, write_message
from socle.auth.dependencies import kernel_of
from socle.http.render import SOAP_12
from socle.soap.mtom import Attachment, write_multipart

PREFIX = "/si-dmp-server/v2/services"
REPOSITORY = f"{PREFIX}/repository"


async def read(request: Request) -> tuple[Message, Caller]:
    settings = cast(DmpSettings, kernel_of(request).settings)
    message = read_message(
        request.headers.get("content-type", ""),
        await request.body(),
        addressed=settings.dmp_addressing == "enforce",
    )
    return message, await caller_of(request, message, settings)


def answer(message: Message, action: str, body: etree._Element) -> Response:
    """In the form of the request: registry, patients and habilitations."""
    if message.raw.is_multipart:
        return multipart(message, action, body, ())
    return Response(write_message(action, message.message_id, body), media_type=SOAP_12)


def multipart(
    message: Message, action: str, body: etree._Element, attachments: Sequence[Attachment]
) -> Response:
    envelope = write_message(action, message.message_id, body)
    content_type, content = write_multipart(envelope, attachments, action)
    return Response(content, headers={"Content-Type": content_type})
