"""PSC's public keys, cached, and fetched again when a token names one that is not known."""

import asyncio
from dataclasses import dataclass, field

import httpx
from joserfc.jwk import KeySet

from socle.clock import monotonic
from socle.errors import Category, DomainError
from socle.logs import get_logger

CERTS_PATH = "/auth/realms/esante-wallet/protocol/openid-connect/certs"
MIN_SECONDS_BETWEEN_FETCHES = 2.0
MAX_AGE_SECONDS = 300.0
log = get_logger("auth.keys")


@dataclass
class RemoteKeys:
    """The key set at `psc_url`. Old keys are served while PSC cannot be reached."""

    psc_url: str
    _keys: KeySet | None = None
    _kids: frozenset[str] = frozenset()
    _fetched_at: float = -MAX_AGE_SECONDS
    _tried_at: float = -MIN_SECONDS_BETWEEN_FETCHES
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def holding(self, kid: str | None) -> KeySet:
        """The set, fetched anew when it is old or lacks `kid` (a rotation has happened).

        Unknown kids cost one fetch every two seconds at most: a stranger's tokens must not
        become requests to PSC.
        """
        if self._is_fresh(kid):
            assert self._keys is not None
            return self._keys
        async with self._lock:
            if (
                not self._is_fresh(kid)
                and monotonic() - self._tried_at >= MIN_SECONDS_BETWEEN_FETCHES
            ):
                await self._fetch()
        if self._keys is None:
            raise DomainError(
                Category.UNAVAILABLE,
                "psc_unavailable",
                "The keys of Pro Santé Connect cannot be read now, so no token can be verified.",
                headers={"Retry-After": "2"},
            )
        return self._keys

    def _is_fresh(self, kid: str | None) -> bool:
        return (
            self._keys is not None
            and monotonic() - self._fetched_at < MAX_AGE_SECONDS
            and (kid is None or kid in self._kids)
        )

    async def _fetch(self) -> None:
        self._tried_at = monotonic()
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                response = await client.get(self.psc_url + CERTS_PATH)
                response.raise_for_status()
                body = response.json()
                self._keys = KeySet.import_key_set(body)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("keys_not_fetched", error=repr(error))
            return
        self._kids = frozenset(key.get("kid", "") for key in body["keys"])
        self._fetched_at = monotonic()
