"""A login that its hint alone decides: session, event and code in one statement.

Conditions are those of service/logins.py for a browser that has no session yet.
"""

from typing import Final

from services.psc.domain import secrets
from services.psc.domain.authorization import AuthorizationRequest
from services.psc.domain.session import Session
from services.psc.events import OPENED, opened_event
from services.psc.provider import Provider
from services.psc.service.logins import Approved
from socle.clock import wall
from socle.events.outbox import channel_of
from socle.events.topics import topic_of
from socle.idgen import random_uuid, secret_token
from socle.spaces import Space

LOG_IN: Final = f"""
WITH person AS (
    SELECT national_id FROM psc.person
    WHERE space = $1 AND national_id = $2 AND (document->>'enabled')::boolean
), opened AS (
    INSERT INTO psc.session (space, id, national_id, auth_mode, started_at, last_seen_at,
                             browser_digest)
    SELECT $1, $3, national_id, 'MOBILE', $4, $4, $5 FROM person
), told AS (
    INSERT INTO psc.outbox (topic, key, value)
    SELECT '{topic_of(OPENED)}', $3::uuid::text, $6 FROM person
)
INSERT INTO psc.client_grant (space, id, session_id, client_id, redirect_uri, scope, nonce, acr,
    issuer, challenge, challenge_method, code_expires_at, code_digest)
SELECT $1, $7, $3, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM person
RETURNING pg_notify('{channel_of("psc")}', '')
"""


async def by_hint(
    provider: Provider, space: Space, request: AuthorizationRequest, issuer: str
) -> Approved | None:
    """None for whoever is unknown here or disabled."""
    national_id = request.login_hint
    if national_id is None or not provider.settings.sandbox or request.prompt:
        return None
    now, cookie, grant_id = wall(), secret_token(), random_uuid()
    session = Session(space.name, random_uuid(), national_id, "MOBILE", now, now, None)
    acr = provider.acr_of("MOBILE")
    event = opened_event(space, session, request.client_id, acr)
    code = f"{secret_token()}.{session.id}.{grant_id}"
    rows = await provider.kernel.database.fetch(
        LOG_IN, space.name, national_id, session.id, now, secrets.digest(cookie), event.value,
        grant_id, request.client_id, request.redirect_uri, request.scope, request.nonce, acr,
        issuer, request.challenge, request.challenge_method, now + provider.lifetimes.code,
        secrets.digest(code),
    )  # fmt: skip
    return Approved(code, session.id, cookie, national_id) if rows else None
