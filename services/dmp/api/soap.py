"""What the four SOAP services share: reading a message and its caller, writing the answer."""

from collections.abc import Sequence
from typing import cast

from fastapi import Request, Response
from lxml import etree

from services.dmp import record_repository
from services.dmp.api.preferences import policy_of
from services.dmp.domain.functional_rights import check_right, column_of
from services.dmp.settings import DmpSettings
from services.dmp.xds.access import Caller, caller_of
from services.dmp.xds.faults import DmpFault
from services.dmp.xds.message import Message, of_version, read_message, write_message
from socle.auth.dependencies import kernel_of
from socle.errors import Category
from socle.http.context import warn
from socle.http.render import SOAP_12
from socle.soap.mtom import SOAP_TYPE, Attachment, write_multipart
from socle.xds.names import SOAP11, SOAP12

PREFIX = "/si-dmp-server/v2/services"
REPOSITORY = f"{PREFIX}/repository"


async def read(request: Request) -> tuple[Message, Caller]:
    settings = cast(DmpSettings, kernel_of(request).settings)
    message = read_message(
        request.headers.get("content-type", ""),
        await request.body(),
        addressed=settings.dmp_addressing == "enforce",
        lenient=policy_of(request).is_lenient,
    )
    if message.soap == SOAP11:
        warn(request.scope, [of_version()])
    return message, await caller_of(request, message, settings)


async def require_right(
    request: Request, message: Message, caller: Caller, transaction: str
) -> None:
    """By the functional rights matrix, where a VIHF says who calls and why."""
    kernel = kernel_of(request)
    settings = cast(DmpSettings, kernel.settings)
    vihf = caller.vihf
    if vihf is None or settings.dmp_rights == "off":
        return
    is_treating = False
    if vihf.patient is not None:
        space, ins = caller.space.name, vihf.patient
        pseudonym = kernel.pseudonym(space, ins.oid, ins.matricule)
        async with kernel.database.read() as session:
            right = await record_repository.get_right(session, space, pseudonym, caller.identifier)
        is_treating = right is not None and right.is_treating_doctor
    column = column_of(vihf.roles, is_treating_doctor=is_treating)
    refused = check_right(transaction, column, caller.purpose, vihf.mode)
    if refused is not None and settings.dmp_rights == "enforce":
        raise DmpFault("SocleRights", "Cette transaction n'est pas permise à cet appelant.", [refused],
                       relates_to=message.message_id, category=Category.FORBIDDEN)  # fmt: skip
    if refused is not None:
        warn(request.scope, [refused])


def answer(message: Message, action: str, body: etree._Element) -> Response:
    """In the form of the request: registry, patients and habilitations."""
    if message.raw.is_multipart:
        return multipart(message, action, body, ())
    envelope = write_message(action, message.message_id, body, message.soap)
    return Response(envelope, media_type=SOAP_12 if message.soap == SOAP12 else "text/xml")


def multipart(
    message: Message, action: str, body: etree._Element, attachments: Sequence[Attachment]
) -> Response:
    envelope = write_message(action, message.message_id, body, message.soap)
    soap_type = SOAP_TYPE if message.soap == SOAP12 else "text/xml"
    content_type, content = write_multipart(envelope, attachments, action, soap_type)
    return Response(content, headers={"Content-Type": content_type})
