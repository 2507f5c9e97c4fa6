"""The tables of the schema `psc`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from socle.db.base import metadata_of

metadata = metadata_of("psc")
_Instant = DateTime(timezone=True)

# The provider's keys belong to the deployment, not to a space: there is one JWKS.
signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("jwk", JSONB, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("retired_at", _Instant),
)

person = Table(
    "person",
    metadata,
    Column("space", Text, primary_key=True),
    Column("national_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    # Generated: the name without accents, both ways round, for searches by its beginning.
    Column("family_given", Text, nullable=False),
    Column("given_family", Text, nullable=False),
)

client = Table(
    "client",
    metadata,
    Column("space", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_digest", LargeBinary),
    Column("redirect_uris", ARRAY(Text), nullable=False),
    Column("post_logout_redirect_uris", ARRAY(Text), nullable=False),
    Column("loopback", Boolean, nullable=False),
    Column("pkce", Text, nullable=False),
    Column("token_endpoint_auth_method", Text, nullable=False),
    Column("jwks", JSONB),
    Column("tls_client_auth_subject_dn", Text),
    Column("tls_client_certificate_bound_access_tokens", Boolean, nullable=False),
    Column("id_token_signed_response_alg", Text, nullable=False),
    Column("userinfo_signed_response_alg", Text),
    Column("ciba", Boolean, nullable=False),
    Column("auto_approve", Boolean, nullable=False),
)

# Assertions that were used (private_key_jwt), until they would have expired.
client_assertion = Table(
    "client_assertion",
    metadata,
    Column("space", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("jti_digest", LargeBinary, primary_key=True),
    Column("expires_at", _Instant, nullable=False),
)

# Authorization requests that a client sent ahead (RFC 9126).
pushed_request = Table(
    "pushed_request",
    metadata,
    Column("space", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("expires_at", _Instant, nullable=False),
)

# An authorization request that waits for its login page. `browser_digest` binds it to the browser
# that opened the page, so that nobody can log another person's browser in.
login = Table(
    "login",
    metadata,
    Column("space", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("browser_digest", LargeBinary, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("expires_at", _Instant, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("national_id", Text, nullable=False),
    Column("auth_mode", Text, nullable=False),
    Column("browser_digest", LargeBinary, unique=True),
    Column("started_at", _Instant, nullable=False),
    Column("last_seen_at", _Instant, nullable=False),
    Column("closed_at", _Instant),
)

# `client_grant`, since GRANT is a word of SQL. Without a code when CIBA gave it.
client_grant = Table(
    "client_grant",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("acr", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("challenge_method", Text, nullable=False),
    Column("code_digest", LargeBinary, unique=True),
    Column("code_expires_at", _Instant, nullable=False),
    Column("code_used_at", _Instant),
    Column("revoked_at", _Instant),
    Column("certificate_thumbprint", LargeBinary),
)

# A request that waits for its person, CIBA's or a login page's: one of the two digests is there.
# `number` is what the screen shows, `choices` the three among which the phone lets one choose.
authentication_request = Table(
    "authentication_request",
    metadata,
    Column("space", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("national_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("choices", ARRAY(Text), nullable=False),
    Column("scope", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("wrong_numbers", Integer, nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
    Column("auth_req_digest", LargeBinary, unique=True),
    Column("last_polled_at", _Instant),
    Column("login_digest", LargeBinary),
)

# How often in a row a person's PIN was wrong: nobody may try all ten thousand.
phone = Table(
    "phone",
    metadata,
    Column("space", Text, primary_key=True),
    Column("national_id", Text, primary_key=True),
    Column("wrong_pins", Integer, nullable=False),
    Column("locked_until", _Instant),
)

token = Table(
    "token",
    metadata,
    Column("space", Text, primary_key=True),
    Column("access_jti", Uuid, primary_key=True),
    Column("refresh_digest", LargeBinary, nullable=False, unique=True),
    Column("grant_id", Uuid, nullable=False),
    Column("access_expires_at", _Instant, nullable=False),
    Column("refresh_expires_at", _Instant, nullable=False),
    Column("refresh_used_at", _Instant),
    Column("access_revoked_at", _Instant),
)

# Tokens of the API realm, for which a PSC access token was exchanged. A refresh makes another row
# of the same grant.
api_token = Table(
    "api_token",
    metadata,
    Column("space", Text, primary_key=True),
    Column("jti", Uuid, primary_key=True),
    Column("grant_id", Uuid, nullable=False),
    Column("refresh_digest", LargeBinary, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("national_id", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("audience", ARRAY(Text), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("certificate_thumbprint", LargeBinary),
    Column("issued_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
    Column("refresh_expires_at", _Instant, nullable=False),
    Column("refresh_used_at", _Instant),
    Column("revoked_at", _Instant),
)

# A thick client's session at the Proxy e-Santé, which keeps the tokens for it.
proxy_session = Table(
    "proxy_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("space", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("national_id", Text, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("api_token", Uuid, nullable=False),
    Column("started_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
)

proxy_trace = Table(
    "proxy_trace",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("space", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("at", _Instant, nullable=False),
)
