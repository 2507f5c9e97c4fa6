"""What stands behind a token: the person's session, and what one client was granted in it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Channel = Literal["CARD", "MOBILE"]
AuthMode = Literal["CARD", "MOBILE", "DELEGATED"]
CloseReason = Literal["logout", "expired"]


@dataclass(frozen=True, slots=True)
class Session:
    """The single sign-on session; `id` is both `sid` and `session_state`."""

    space: str
    id: UUID
    national_id: str = field(repr=False)
    auth_mode: AuthMode
    started_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization: born with its code, alive as long as tokens come from it."""

    space: str
    id: UUID
    session_id: UUID
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    acr: str
    issuer: str
    challenge: str
    challenge_method: str
    code_expires_at: datetime
    code_used_at: datetime | None
    revoked_at: datetime | None
    certificate_thumbprint: bytes | None = None
    """SHA-256 of the certificate without which its tokens are worth nothing (RFC 8705 §3)."""


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """The two tokens of one answer: the refresh token by its digest, the access token by jti."""

    refresh_digest: bytes = field(repr=False)
    access_jti: UUID
    grant_id: UUID
    access_expires_at: datetime
    refresh_expires_at: datetime
    refresh_used_at: datetime | None
    access_revoked_at: datetime | None
