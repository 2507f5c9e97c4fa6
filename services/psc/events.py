"""Events of PSC sessions. The professional is named by RPPS, where there is one, and not else."""

from services.psc.domain.session import CloseReason, Session
from socle.db.database import WriteSession
from socle.events.envelope import Event
from socle.events.outbox import publish
from socle.http.context import traceparent
from socle.ids.professionals import rpps_from_idnat
from socle.spaces import Space

OPENED = "psc.session.opened.v1"
CLOSED = "psc.session.closed.v1"
SOURCE = "/psc"


async def session_opened(
    session: WriteSession, space: Space, opened: Session, client_id: str, acr: str
) -> None:
    await publish(session, "psc", [opened_event(space, opened, client_id, acr)])


def opened_event(space: Space, opened: Session, client_id: str, acr: str) -> Event:
    data = {
        "session": str(opened.id),
        "rpps": rpps_from_idnat(opened.national_id),
        "client_id": client_id,
        "auth_mode": opened.auth_mode,
        "acr": acr,
    }
    return _event(OPENED, space, opened, data)


async def session_closed(
    session: WriteSession, space: Space, closed: Session, reason: CloseReason
) -> None:
    data = {
        "session": str(closed.id),
        "rpps": rpps_from_idnat(closed.national_id),
        "auth_mode": closed.auth_mode,
        "reason": reason,
    }
    await publish(session, "psc", [_event(CLOSED, space, closed, data)])


def _event(type_: str, space: Space, about: Session, data: dict[str, str | None]) -> Event:
    return Event.new(
        type_,
        source=SOURCE,
        subject=str(about.id),
        space=space.name,
        time=space.now(),
        data=dict(data),
        traceparent=traceparent.get(),
    )
