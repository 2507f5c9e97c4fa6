"""The mailboxes of the caller, and what lies in their INBOX."""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.mss import repository, service
from services.mss.api.fields import AddressInPath
from services.mss.changes import Changes, news_or_timeout
from services.mss.domain.headers import decoded, parse_header
from services.mss.domain.mailboxes import normalised
from services.mss.repository import Listed
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.clock import monotonic
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError

router = APIRouter(prefix="/mss", tags=["mailboxes"])
LIMIT = 200
MAX_WAIT_SECONDS = 60


@router.get("/mailboxes")
async def list_mailboxes(
    caller: Professional, space: CallerSpace, session: ReadSession
) -> list[dict[str, str]]:
    owned = await repository.list_mailboxes(session, space.name, caller.national_id)
    return [
        {"address": box.address, "kind": box.kind, "label": box.label, "rights": box.rights}
        for box in owned
    ]


@router.get("/mailboxes/{address}/messages")
async def list_messages(
    request: Request,
    address: AddressInPath,
    caller: Professional,
    space: CallerSpace,
    after: Annotated[int, Query(ge=0, description="UIDs above this one")] = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
    wait: Annotated[
        float, Query(ge=0, le=MAX_WAIT_SECONDS, description="seconds to wait for a message")
    ] = 0,
) -> dict[str, Any]:
    """INBOX by growing UID. With `wait`, an empty answer is held until a message arrives."""
    database = kernel_of(request).database
    async with database.read() as session:  # held for the look only, not for the wait
        box = await service.own_mailbox(session, space.name, caller, normalised(address))
        folder = await repository.inbox_of(session, space.name, box.address)
    deadline = monotonic() + wait
    with cast(Changes, request.app.state.changes).watching(folder) as news:
        while True:
            async with database.read() as session:
                found = await repository.list_messages(session, space.name, folder, after, limit)
            left = deadline - monotonic()
            if found or left <= 0 or await request.is_disconnected():
                break
            await news_or_timeout(news, left)
    return {
        "mailbox": box.address,
        "messages": [_shown(message) for message in found],
        "next_after": found[-1].uid if found else after,
    }


@router.get("/messages/{message}")
async def read_message(
    message: UUID, caller: Professional, space: CallerSpace, session: ReadSession
) -> Response:
    """The message as it was submitted, byte for byte."""
    content = await repository.get_content(session, space.name, message, caller.national_id)
    if content is None:
        raise DomainError(
            Category.NOT_FOUND, "message_unknown", "No mailbox of yours holds this message."
        )
    return Response(
        content,
        media_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{message}.eml"'},
    )


def _shown(message: Listed) -> dict[str, str | int | bool | datetime]:
    header = parse_header(message.header)
    return {
        "id": str(message.id),
        "uid": message.uid,
        "size": message.size,
        "seen": message.seen,
        "received_at": message.received_at,
        "from": decoded(header.get("From")),
        "subject": decoded(header.get("Subject")),
        "message_id": str(header.get("Message-ID", "")),
    }
