"""The provider's keys in use: made once for the whole deployment, remembered for a few seconds."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from services.psc.repository import keys
from socle.clock import monotonic, wall
from socle.db.database import Database, WriteSession
from socle.idgen import secret_token

ALGORITHM = "RS256"
KEY_BITS = 2048
LEASE_SECONDS = 5.0


@dataclass
class Signer:
    """Reads the keys again after a lease, so that a rotation by another process is seen.

    Reading happens in `refresh`, before a request opens its transaction; signing and verifying
    never touch the database, so a request holds one connection at most and the pool cannot lock up.
    """

    database: Database
    _keys: KeySet | None = None
    _read_at: float = -LEASE_SECONDS
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Makes sure that there are keys, and that they are not older than the lease."""
        if self._is_fresh():
            return
        async with self._lock:
            if not self._is_fresh():
                asked = monotonic()
                self._keys = await self._load()
                self._read_at = asked

    def _is_fresh(self) -> bool:
        return self._keys is not None and monotonic() - self._read_at < LEASE_SECONDS

    @property
    def keys(self) -> KeySet:
        """All published keys, the signing one first."""
        if self._keys is None:
            raise RuntimeError("Signer.refresh() comes before any use of the keys")
        return self._keys

    async def _load(self) -> KeySet:
        async with self.database.read() as session:
            stored = await keys.published(session)
        if not stored:
            made = await asyncio.to_thread(_new_key)
            async with self.database.write() as session:
                await _store_first(session, made, wall())
            async with self.database.read() as session:  # perhaps a rival's key, made first
                stored = await keys.published(session)
        return KeySet([RSAKey.import_key(jwk) for jwk in stored])

    async def jwks(self) -> dict[str, Any]:
        """Public members only."""
        await self.refresh()
        return dict(self.keys.as_dict(private=False))

    def sign(self, claims: dict[str, Any]) -> str:
        key = self.keys.keys[0]
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": key.kid}
        return jwt.encode(header, claims, key)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that one of these keys signed, expired or not; else None."""
        try:
            return dict(jwt.decode(token, self.keys, algorithms=[ALGORITHM]).claims)
        except (JoseError, ValueError, KeyError, UnicodeError):
            return None


def _new_key() -> RSAKey:
    return RSAKey.generate_key(KEY_BITS, {"kid": secret_token(), "use": "sig", "alg": ALGORITHM})


async def _store_first(session: WriteSession, key: RSAKey, now: datetime) -> None:
    assert key.kid is not None
    await keys.insert_first(session, key.kid, ALGORITHM, key.as_dict(private=True), now)
