"""Opening, finding, prolonging and closing the single sign-on session."""

from datetime import datetime, timedelta
from uuid import UUID

from services.psc import events
from services.psc.domain import secrets
from services.psc.domain.assertion import SKEW as ASSERTION_SKEW
from services.psc.domain.session import AuthMode, CloseReason, Session
from services.psc.provider import Provider
from services.psc.repository import (
    api_tokens,
    clients,
    esante_proxy,
    keys,
    pushed,
    requests,
    sessions,
)
from socle.db.database import WriteSession
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person
from socle.spaces import Space

KEPT_AFTER_CLOSING = timedelta(hours=4)
TRACES_KEPT = timedelta(days=30)
SWEEP_BATCH = 500


async def open_session(
    provider: Provider,
    session: WriteSession,
    space: Space,
    person: Person,
    auth_mode: AuthMode,
    client_id: str,
    now: datetime,
) -> tuple[Session, str]:
    """A new session and the secret of its cookie, drawn anew at each login (no fixation)."""
    cookie = secret_token()
    opened = await _open(
        provider, session, space, person, auth_mode, client_id, now, secrets.digest(cookie)
    )
    return opened, cookie


async def open_without_browser(
    provider: Provider,
    session: WriteSession,
    space: Space,
    person: Person,
    auth_mode: AuthMode,
    client_id: str,
    now: datetime,
) -> Session:
    """A thick client's session (CIBA): no cookie reaches it, its refresh token alone does."""
    return await _open(provider, session, space, person, auth_mode, client_id, now, None)


async def _open(
    provider: Provider,
    session: WriteSession,
    space: Space,
    person: Person,
    auth_mode: AuthMode,
    client_id: str,
    now: datetime,
    browser_digest: bytes | None,
) -> Session:
    opened = Session(space.name, random_uuid(), person.SubjectNameID, auth_mode, now, now, None)
    await sessions.insert(session, opened, browser_digest)
    await events.session_opened(session, space, opened, client_id, provider.acr_of(auth_mode))
    return opened


async def of_cookie(
    provider: Provider, session: WriteSession, space: Space, cookie: str | None, now: datetime
) -> Session | None:
    """The browser's live session; one that has run out is closed on the way."""
    if cookie is None:
        return None
    found = await sessions.find_of_browser(session, space.name, secrets.digest(cookie))
    if found is None or is_live(provider, found, now):
        return found
    await close(session, space, found.id, now, expired=True)
    return None


def is_live(provider: Provider, session: Session, now: datetime) -> bool:
    return session.closed_at is None and provider.lifetimes.is_live(
        now, session.started_at, session.last_seen_at
    )


async def close(
    session: WriteSession,
    space: Space,
    id_: UUID,
    now: datetime,
    *,
    expired: bool = False,
) -> bool:
    """False when it was closed already: the event is sent once."""
    closed = await sessions.close(session, space.name, id_, now)
    if closed is None:
        return False
    reason: CloseReason = "expired" if expired else "logout"
    await events.session_closed(session, space, closed, reason)
    return True


async def sweep(provider: Provider, now: datetime) -> int:
    """Closes what has run out and forgets what was closed long ago; how many were closed."""
    database, lifetimes = provider.kernel.database, provider.lifetimes
    limits = (now - lifetimes.session_idle, now - lifetimes.session_max)
    async with database.read() as reading:
        names = await sessions.spaces_with_expired(reading, *limits)
    count = 0
    for name in names:
        space = await provider.kernel.spaces.get(name)
        async with database.write() as session:
            closed = await sessions.close_expired(session, name, now, *limits, SWEEP_BATCH)
            for ended in closed:
                await events.session_closed(session, space, ended, "expired")
        count += len(closed)
    async with database.write() as session:
        await sessions.forget(session, now, now - KEPT_AFTER_CLOSING)
        await requests.forget(session, now - KEPT_AFTER_CLOSING)
        await pushed.forget(session, now)
        await clients.forget_assertions(session, now - ASSERTION_SKEW)
        await api_tokens.forget(session, now - KEPT_AFTER_CLOSING)
        await esante_proxy.forget(session, now, now - TRACES_KEPT)
        await keys.delete_retired(session, now - lifetimes.session_max)
    return count
