"""Proof Key for Code Exchange (RFC 7636), with Keycloak's refusals (spec: psc.md §9)."""

import base64
import hashlib
import hmac
import re
from typing import Final, Literal

from services.psc.domain.refusals import OAuthError, invalid_grant

Policy = Literal["off", "optional", "required"]
METHODS: Final = ("plain", "S256")
_VERIFIER = re.compile(r"[0-9a-zA-Z\-._~]{43,128}")
_CHALLENGE = _VERIFIER  # RFC 7636 §4.2 gives both the same grammar


def is_challenge(value: str) -> bool:
    return bool(_CHALLENGE.fullmatch(value))


def s256(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def refusal_of(challenge: str, method: str, verifier: str | None) -> OAuthError | None:
    """Why this verifier does not open this challenge; an empty challenge asks for none."""
    if not challenge:
        if verifier:
            return invalid_grant(
                "PKCE code verifier specified but challenge not present in authorization",
                "Send code_challenge and code_challenge_method=S256 in the authorization request.",
            )
        return None
    if not verifier:
        return invalid_grant(
            "PKCE code verifier not specified",
            "The authorization request had a code_challenge: send the code_verifier behind it.",
        )
    if not _VERIFIER.fullmatch(verifier):
        return invalid_grant(
            "PKCE verification failed: Invalid code verifier",
            "A code_verifier has 43 to 128 characters among A-Z a-z 0-9 - . _ ~ (RFC 7636 4.1).",
        )
    derived = s256(verifier) if method == "S256" else verifier
    if not hmac.compare_digest(derived, challenge):
        return invalid_grant(
            "PKCE verification failed: Code mismatch",
            "code_challenge must be BASE64URL(SHA256(code_verifier)) without padding.",
        )
    return None
