"""Opening, finding, prolonging and closing the single sign-on session."""

from datetime import datetime, timedelta
from uuid import UUID

from services.psc import events
from services.psc.domain import secrets
from services.psc.domain.person import Person
from services.psc.domain.session import AuthMode, Session
from services.psc.provider import Provider
from services.psc.repository import sessions
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token

KEPT_AFTER_CLOSING = timedelta(hours=4)
SWEEP_BATCH = 500


async def open_session(
    provider: Provider,
    session: WriteSession,
    space: str,
    person: Person,
    auth_mode: AuthMode,
    client_id: str,
    now: datetime,
) -> tuple[Session, str]:
    """A new session and the secret of its cookie, drawn anew at each login (no fixation)."""
    opened = Session(space, random_uuid(), person.SubjectNameID, auth_mode, now, now, None)
    cookie = secret_token()
    await sessions.insert(session, opened, secrets.digest(cookie))
    await events.session_opened(
        session,
        await provider.kernel.spaces.get(space),
        opened,
        person,
        client_id,
        provider.acr_of(auth_mode),
    )
    return opened, cookie


async def of_cookie(
    provider: Provider, session: WriteSession, space: str, cookie: str | None, now: datetime
) -> Session | None:
    """The browser's live session; one that has run out is closed on the way."""
    if cookie is None:
        return None
    found = await sessions.find_of_browser(session, space, secrets.digest(cookie))
    if found is None or is_live(provider, found, now):
        return found
    await close(provider, session, space, found.id, now, expired=True)
    return None


def is_live(provider: Provider, session: Session, now: datetime) -> bool:
    return session.closed_at is None and provider.lifetimes.is_live(
        now, session.started_at, session.last_seen_at
    )


async def close(
    provider: Provider,
    session: WriteSession,
    space: str,
    id_: UUID,
    now: datetime,
    *,
    expired: bool = False,
) -> bool:
    """False when it was closed already: the event is sent once."""
    closed = await sessions.close(session, space, id_, now)
    if closed is None:
        return False
    await events.session_closed(
        session,
        await provider.kernel.spaces.get(space),
        closed,
        "expired" if expired else "logout",
    )
    return True


async def sweep(provider: Provider, session: WriteSession, now: datetime) -> int:
    """Closes what has run out and forgets what was closed long ago; how many were closed."""
    lifetimes = provider.lifetimes
    closed = await sessions.close_expired(
        session, now, now - lifetimes.session_idle, now - lifetimes.session_max, SWEEP_BATCH
    )
    for ended in closed:
        space = await provider.kernel.spaces.get(ended.space)
        await events.session_closed(session, space, ended, "expired")
    await sessions.forget(session, now, now - KEPT_AFTER_CLOSING)
    return len(closed)
