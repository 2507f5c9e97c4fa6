"""Secrets at rest: only their digest is kept, and comparison takes the same time for all.

The secrets are 256 random bits drawn here, so a fast hash loses nothing; a slow one would cost
every refresh tens of milliseconds (issue 4 measures Keycloak's). A client secret that a vendor
chooses protects a sandbox client only.
"""

import hashlib
import hmac


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def matches(secret: str, stored: bytes) -> bool:
    return hmac.compare_digest(digest(secret), stored)
