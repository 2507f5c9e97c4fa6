"""Identifiers. Nothing else in Socle draws random ones."""

import os
import secrets
from uuid import UUID, uuid4

from socle.clock import wall


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562 §5.7): 48 bits of milliseconds, then random bits."""
    value = int(wall().timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10))
    value &= ~(0xF000 << 64) & ~(0xC000 << 48)
    return UUID(int=value | 0x7000 << 64 | 0x8000 << 48)


def drawn_at(value: UUID) -> float | None:
    """Wall seconds since the epoch at which a UUID of version 7 was drawn."""
    return (value.int >> 80) / 1000 if value.version == 7 else None


def random_uuid() -> UUID:
    return uuid4()


def oid_from_uuid(value: UUID) -> str:
    """The OID of a UUID under the arc 2.25 (ITU-T X.667), as XDS identifiers need."""
    return f"2.25.{value.int}"


def secret_token(size: int = 32) -> str:
    """A URL-safe secret of `size` random bytes."""
    return secrets.token_urlsafe(size)
