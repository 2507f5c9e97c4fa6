"""The provider's keys in use: made once for the whole deployment, remembered for a few seconds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.psc.domain.client import SigningAlg
from services.psc.repository import keys
from services.psc.repository.keys import StoredKey
from socle.clock import monotonic, wall
from socle.db.database import Database
from socle.idgen import secret_token

ALGORITHMS: Final[tuple[SigningAlg, ...]] = get_args(SigningAlg)
RSA_BITS = 2048
LEASE_SECONDS = 5.0


@dataclass
class Signer:
    """Reads the keys again after a lease, so that a rotation by another process is seen.

    Reading happens in `refresh`, before a request opens its transaction; signing and verifying
    never touch the database, so a request holds one connection at most and the pool cannot lock up.
    A key that was replaced stays published for `kept`, as long as a token of it may be shown.
    """

    database: Database
    kept: timedelta
    _keys: KeySet | None = None
    _signing: dict[str, RSAKey | ECKey] = field(default_factory=dict)
    _read_at: float = -LEASE_SECONDS
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Makes sure that there are keys, and that they are not older than the lease."""
        if self._is_fresh():
            return
        async with self._lock:
            if not self._is_fresh():
                await self._read()

    async def rotate(self, *, forget: bool) -> None:
        """New keys sign from now on; other processes follow within the lease.

        `forget` withdraws the former ones at once, which makes their tokens unverifiable: a fault
        to survive, not a way to operate.
        """
        made = await asyncio.to_thread(_new_keys, ALGORITHMS)
        async with self.database.write() as session:
            await keys.replace_active(session, made, wall())
            if forget:
                await keys.delete_retired(session, wall())
        async with self._lock:
            await self._read()

    def _is_fresh(self) -> bool:
        return self._keys is not None and monotonic() - self._read_at < LEASE_SECONDS

    @property
    def keys(self) -> KeySet:
        """All published keys, the signing ones first."""
        if self._keys is None:
            raise RuntimeError("Signer.refresh() comes before any use of the keys")
        return self._keys

    async def _read(self) -> None:
        asked = monotonic()
        stored = await self._published()
        missing = [alg for alg in ALGORITHMS if not any(_signs(key, alg) for key in stored)]
        if missing:
            made = await asyncio.to_thread(_new_keys, missing)
            async with self.database.write() as session:
                await keys.insert_first(session, made, wall())
            stored = await self._published()  # perhaps with a rival's keys, made first
        self._keys = KeySet.import_key_set({"keys": [key.jwk for key in stored]})
        by_kid = {key.kid: key for key in self._keys.keys}
        self._signing = {key.alg: by_kid[key.kid] for key in stored if key.active}  # type: ignore[misc]
        self._read_at = asked

    async def _published(self) -> list[StoredKey]:
        async with self.database.read() as session:
            return await keys.published(session, wall() - self.kept)

    async def jwks(self) -> dict[str, Any]:
        """Public members only."""
        await self.refresh()
        return dict(self.keys.as_dict(private=False))

    def sign(self, claims: dict[str, Any], alg: SigningAlg, *, kid: str | None = None) -> str:
        """`kid` pretends to another key than the one that signs."""
        key = self._signing[alg]
        return jwt.encode({"alg": alg, "typ": "JWT", "kid": kid or key.kid}, claims, key)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that one of these keys signed, expired or not; else None."""
        try:
            return dict(jwt.decode(token, self.keys, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, KeyError, UnicodeError):
            return None


def _signs(key: StoredKey, alg: str) -> bool:
    return key.active and key.alg == alg


def _new_keys(algorithms: Sequence[SigningAlg]) -> list[StoredKey]:
    return [_new_key(alg) for alg in algorithms]


def _new_key(alg: SigningAlg) -> StoredKey:
    kid = secret_token()
    key: RSAKey | ECKey
    if alg == "RS256":
        key = RSAKey.generate_key(RSA_BITS, {"kid": kid, "use": "sig", "alg": alg})
    else:
        key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": alg})
    return StoredKey(kid, alg, dict(key.as_dict(private=True)), active=True)
