"""A code or a refresh token against new tokens: one round trip, one commit.

Conditions are those of service/tokens.py. Rows are locked in its order: what is presented, then
the session. Whoever waits for a row sees it as the other left it, or finds none.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from services.psc.domain import pkce, secrets
from services.psc.domain.session import Grant, Session, TokenRecord
from services.psc.provider import Provider
from services.psc.service.caller import Caller
from services.psc.service.tokens import Tokens, signed
from socle.clock import wall
from socle.idgen import random_uuid, secret_token
from socle.people.person import Person

_GRANT: Final = (
    "space, id, session_id, client_id, redirect_uri, scope, nonce, acr, issuer, challenge,"
    " challenge_method, code_expires_at, code_used_at, revoked_at, certificate_thumbprint"
)
_GRANT_NAMES: Final = tuple(name.strip() for name in _GRANT.split(","))

# Each table is entered by a unique key and nothing else, and only then filtered: while a table is
# young the planner knows nothing of it, and of two indexes that fit it may take the one that walks
# through every login of the client. `coalesce` keeps it off the index of the open sessions.
#
# $1 space, $2 now, $3 idle since, $4 started after, $5 the new token's digest, $6 its jti,
# $7 access expiry, $8 refresh expiry if the session allows, $9 the longest session.
_REST: Final = f"""
standing AS MATERIALIZED (
    SELECT s.id AS sid, s.national_id, s.auth_mode, s.started_at, s.last_seen_at, s.closed_at,
           granted.*
    FROM granted JOIN psc.session AS s ON s.space = granted.space AND s.id = granted.session_id
), known AS MATERIALIZED (
    SELECT p.document, standing.*
    FROM standing
    JOIN psc.person AS p ON p.space = standing.space AND p.national_id = standing.national_id
), live AS (
    SELECT sid, national_id, auth_mode, started_at, last_seen_at, {_GRANT},
           document->>'origine' AS origine, document->>'given_name' AS given_name,
           document->>'family_name' AS family_name
    FROM known
    WHERE closed_at IS NULL AND last_seen_at > $3 AND started_at > $4
      AND (document->>'enabled')::boolean
), touched AS (
    UPDATE psc.session AS s SET last_seen_at = greatest(s.last_seen_at, $2)
    FROM live
    WHERE s.space = live.space AND s.id = live.sid
      AND coalesce(s.closed_at, 'infinity') = 'infinity'
    RETURNING s.id
), made AS (
    INSERT INTO psc.token (space, refresh_digest, access_jti, grant_id, access_expires_at,
                           refresh_expires_at)
    SELECT live.space, $5, $6, live.id, $7, least($8, live.started_at + $9::interval)
    FROM live JOIN touched ON touched.id = live.sid
    RETURNING refresh_expires_at
)
"""

REFRESH: Final = f"""
WITH presented AS (
    SELECT * FROM psc.token WHERE refresh_digest = $10 FOR UPDATE
), asked AS MATERIALIZED (
    SELECT g.* FROM presented AS t JOIN psc.client_grant AS g
        ON g.space = t.space AND g.id = t.grant_id
    WHERE t.space = $1 AND t.refresh_used_at IS NULL AND t.refresh_expires_at > $2
), granted AS (
    SELECT {_GRANT} FROM asked
    WHERE client_id = $11 AND revoked_at IS NULL
      AND (certificate_thumbprint IS NULL OR certificate_thumbprint = $12)
), {_REST}, used AS (
    UPDATE psc.token AS t SET refresh_used_at = $2
    FROM presented, made
    WHERE $13 AND t.space = presented.space AND t.access_jti = presented.access_jti
)
SELECT live.*, made.refresh_expires_at FROM live, made
"""

EXCHANGE: Final = f"""
WITH presented AS (
    SELECT * FROM psc.client_grant WHERE code_digest = $10 FOR UPDATE
), granted AS (
    SELECT {_GRANT} FROM presented
    WHERE space = $1 AND code_used_at IS NULL AND client_id = $11 AND code_expires_at > $2
      AND redirect_uri = $12 AND revoked_at IS NULL AND challenge_method = $13 AND challenge = $14
), {_REST}, burnt AS (
    UPDATE psc.client_grant AS g SET code_used_at = $2
    FROM presented, made WHERE g.space = presented.space AND g.id = presented.id
)
SELECT live.*, made.refresh_expires_at FROM live, made
"""


async def refresh(provider: Provider, caller: Caller, refresh_token: str) -> Tokens | None:
    return await _fetch(
        provider, caller, REFRESH,
        [
            secrets.digest(refresh_token), caller.client.client_id, caller.thumbprint,
            provider.settings.psc_refresh_rotation == "rotate",
        ],
    )  # fmt: skip


async def exchange_code(
    provider: Provider, caller: Caller, code: str, redirect_uri: str | None, verifier: str | None
) -> Tokens | None:
    """Nothing is bound to a certificate here: that is for the longer way."""
    client = caller.client
    if redirect_uri is None or client.tls_client_certificate_bound_access_tokens:
        return None
    if verifier is None:
        method, challenge = "", ""
    elif pkce.is_challenge(verifier):
        method, challenge = "S256", pkce.s256(verifier)
    else:
        return None
    return await _fetch(
        provider, caller, EXCHANGE,
        [secrets.digest(code), client.client_id, redirect_uri, method, challenge],
    )  # fmt: skip


async def _fetch(
    provider: Provider, caller: Caller, statement: str, more: Sequence[Any]
) -> Tokens | None:
    now, lifetimes, refresh_token = wall(), provider.lifetimes, secret_token()
    jti, expires = random_uuid(), now + lifetimes.access
    digest = secrets.digest(refresh_token)
    rows = await provider.kernel.database.fetch(
        statement, caller.client.space, now, now - lifetimes.session_idle,
        now - lifetimes.session_max, digest, jti, expires, now + lifetimes.refresh,
        lifetimes.session_max, *more,
    )  # fmt: skip
    if not rows:
        return None
    row = rows[0]
    record = TokenRecord(digest, jti, row["id"], expires, row["refresh_expires_at"], None, None)
    return await signed(
        provider, caller, _grant(row), _session(row), _person(row), record, refresh_token, now
    )


def _grant(row: "asyncpg.Record") -> Grant:
    return Grant(**{name: row[name] for name in _GRANT_NAMES})


def _session(row: "asyncpg.Record") -> Session:
    return Session(
        row["space"], row["sid"], row["national_id"], row["auth_mode"], row["started_at"],
        row["last_seen_at"], None,
    )  # fmt: skip


def _person(row: "asyncpg.Record") -> Person:
    """What tokens say of a person, without reading their whole document."""
    return Person.model_construct(
        SubjectNameID=row["national_id"],
        origine=row["origine"],
        given_name=row["given_name"],
        family_name=row["family_name"],
    )
