"""The poll that fetches a CIBA request's tokens: a look, then one statement.

Conditions are those of service/ciba.py.
"""

from typing import Final

from services.psc.domain import secrets
from services.psc.domain.session import Grant, Session, TokenRecord
from services.psc.events import OPENED, opened_event
from services.psc.provider import Provider
from services.psc.service.caller import Caller
from services.psc.service.tokens import Tokens, signed
from socle.clock import wall
from socle.events.outbox import channel_of
from socle.events.topics import topic_of
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person

# Entered by its unique key and only then filtered, as in hot/tokens.py: approved, in time, and not
# polled too soon.
_READY: Final = """
space = $1 AND client_id = $3 AND status = 'approved' AND expires_at > $4
  AND (last_polled_at IS NULL OR last_polled_at + $5::interval <= $4)
"""

LOOK: Final = f"""
WITH presented AS MATERIALIZED (
    SELECT * FROM psc.authentication_request WHERE auth_req_digest = $2
)
SELECT national_id, channel FROM presented WHERE {_READY}
"""

FETCH: Final = f"""
WITH presented AS (
    SELECT * FROM psc.authentication_request WHERE auth_req_digest = $2 FOR UPDATE
), ready AS (
    SELECT * FROM presented WHERE {_READY}
), granted AS (
    SELECT ready.*, p.document->>'origine' AS origine, p.document->>'given_name' AS given_name,
           p.document->>'family_name' AS family_name
    FROM ready
    JOIN psc.person AS p ON p.space = ready.space AND p.national_id = ready.national_id
    WHERE (p.document->>'enabled')::boolean
), used AS (
    UPDATE psc.authentication_request AS r SET status = 'used'
    FROM granted WHERE r.space = granted.space AND r.id = granted.id
), opened AS (
    INSERT INTO psc.session (space, id, national_id, auth_mode, started_at, last_seen_at)
    SELECT space, $6, national_id, channel, $4, $4 FROM granted
), told AS (
    INSERT INTO psc.outbox (topic, key, value)
    SELECT '{topic_of(OPENED)}', $6::uuid::text, $7 FROM granted
), agreed AS (
    INSERT INTO psc.client_grant (space, id, session_id, client_id, redirect_uri, scope, nonce,
        acr, issuer, challenge, challenge_method, code_expires_at, code_used_at)
    SELECT space, $8, $6, client_id, '', scope, '', $9, issuer, '', '', $4, $4 FROM granted
), made AS (
    INSERT INTO psc.token (space, refresh_digest, access_jti, grant_id, access_expires_at,
                           refresh_expires_at)
    SELECT space, $10, $11, $8, $12, $13 FROM granted
)
SELECT granted.*, pg_notify('{channel_of("psc")}', '') FROM granted
"""


async def poll(provider: Provider, caller: Caller, auth_req_id: str) -> Tokens | None:
    client, now, lifetimes = caller.client, wall(), provider.lifetimes
    if client.tls_client_certificate_bound_access_tokens:
        return None
    database, digest = provider.kernel.database, secrets.digest(auth_req_id)
    ready = client.space, digest, client.client_id, now, lifetimes.ciba_interval
    looked = await database.fetch(LOOK, *ready)
    if not looked:
        return None
    asked, acr = looked[0], provider.acr_of(looked[0]["channel"])
    session = Session(
        client.space, random_uuid(), asked["national_id"], asked["channel"], now, now, None
    )
    refresh_token = secret_token()
    record = TokenRecord(
        secrets.digest(refresh_token),
        random_uuid(),
        random_uuid(),
        now + lifetimes.access,
        lifetimes.refresh_expiry(now, now),
        None,
        None,
    )
    event = opened_event(caller.space, session, client.client_id, acr)
    rows = await database.fetch(
        FETCH, *ready, session.id, event.value, record.grant_id, acr, record.refresh_digest,
        record.access_jti, record.access_expires_at, record.refresh_expires_at,
    )  # fmt: skip
    if not rows:
        return None
    row = rows[0]
    grant = Grant(
        client.space, record.grant_id, session.id, client.client_id, "", row["scope"], "", acr,
        row["issuer"], "", "", now, now, None,
    )  # fmt: skip
    person = Person.model_construct(
        SubjectNameID=session.national_id,
        origine=row["origine"],
        given_name=row["given_name"],
        family_name=row["family_name"],
    )
    return await signed(provider, caller, grant, session, person, record, refresh_token, now)
