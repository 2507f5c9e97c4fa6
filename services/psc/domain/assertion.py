"""A client's assertion (RFC 7523 §3): who signed it, for whom, until when.

Texts are Keycloak's as far as they are remembered (README, unverified).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from services.psc.domain.client import Client
from services.psc.domain.client_keys import ALGORITHMS, read_jwks, verified_claims
from services.psc.domain.refusals import OAuthError

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LIFE: Final = timedelta(hours=1)
SKEW: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Assertion:
    jti: str
    expires_at: datetime


def claimed_client(token: str) -> str | None:
    """The client that an assertion names, before anything of it is believed."""
    try:
        claims = orjson.loads(jws.extract_compact(token.encode("ascii")).payload)
    except (JoseError, ValueError, KeyError):
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else None


def read_assertion(
    token: str, client: Client, audiences: Collection[str], now: datetime
) -> Assertion:
    """Raises OAuthError. That it is used once is for the caller to see to, by its `jti`."""
    if client.jwks is None:
        raise refused("the client has no keys", "Enrol its public keys (jwks).")
    try:
        claims = verified_claims(token, read_jwks(client.jwks))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise refused(
            "Signature on JWT token failed validation",
            "Sign with one of the keys that this client has enrolled, and name it in kid; "
            f"algorithms are {', '.join(ALGORITHMS)}.",
        ) from error
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise refused(
            "Issuer mismatch. The issuer should match the subject",
            f"iss and sub are both the client_id, {client.client_id}.",
        )
    _check_audience(claims.get("aud"), audiences)
    return Assertion(_jti(claims), _expiry(claims, now))


def _check_audience(audience: Any, audiences: Collection[str]) -> None:
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not any(
        isinstance(one, str) and one in audiences for one in named
    ):
        raise refused(
            "Token audience doesn't match domain",
            f"aud is one of {', '.join(sorted(audiences))}.",
        )


def _jti(claims: dict[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise refused("Missing ID on the token", "Give each assertion a jti of its own.")
    return jti


def _expiry(claims: dict[str, Any], now: datetime) -> datetime:
    expires = _instant(claims.get("exp"))
    begins = [_instant(claims[name]) for name in ("nbf", "iat") if name in claims]
    if expires is None or None in begins:
        raise refused(
            "Token is not active", "exp, and nbf and iat where given, are numbers of seconds."
        )
    if expires + SKEW <= now or any(begin and begin - SKEW > now for begin in begins):
        raise refused(
            "Token is not active",
            f"Here it is {now.isoformat(timespec='seconds')}; the assertion has expired, or is "
            "not valid yet.",
        )
    if expires - now > MAX_LIFE + SKEW:
        raise refused("Token expiration is too far in the future", "Let it live an hour at most.")
    return expires


def _instant(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def refused(reason: str, hint: str) -> OAuthError:
    return OAuthError(
        "invalid_client",
        f"Client authentication with signed JWT failed: {reason}",
        hint,
        status=401,
    )
