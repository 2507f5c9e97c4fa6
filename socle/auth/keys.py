"""PSC's public keys, cached, and fetched again when a token names one that is not known."""

import asyncio
from dataclasses import dataclass, field

import httpx
from joserfc.jwk import KeySet

from socle.clock import monotonic
from socle.errors import Category, DomainError
from socle.http.outgoing import inner_client
from socle.logs import get_logger

CERTS_PATH = "/auth/realms/esante-wallet/protocol/openid-connect/certs"
SECONDS_BETWEEN_FETCHES = 0.5
MAX_AGE_SECONDS = 300.0
MAX_WAITING = 64
log = get_logger("auth.keys")


@dataclass
class RemoteKeys:
    """The key set at `psc_url`. Old keys are served while PSC cannot be reached.

    An unknown key identifier means that the keys were rotated, or that the token is a stranger's.
    Nobody can tell which before asking, so a token waits for the next fetch: fetches come twice a
    second at most and serve all who wait, and no token signed before a fetch is refused for a key
    that PSC had published by then. At most `MAX_WAITING` wait, so that a flood of strangers'
    tokens holds up no more than that.
    """

    psc_url: str
    _keys: KeySet | None = None
    _kids: frozenset[str] = frozenset()
    _fetched_at: float = -MAX_AGE_SECONDS
    _tried_at: float = -SECONDS_BETWEEN_FETCHES
    _waiting: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def holding(self, kid: str | None) -> KeySet:
        """The set, fetched anew when it is old or lacks `kid`; whether it then holds it, the caller sees."""
        if not self._is_fresh(kid) and self._waiting < MAX_WAITING:
            await self._wait_for_fetch(kid)
        if self._keys is None:
            raise DomainError(
                Category.UNAVAILABLE,
                "psc_unavailable",
                "The keys of Pro Santé Connect cannot be read now, so no token can be verified.",
                headers={"Retry-After": "2"},
            )
        return self._keys

    async def _wait_for_fetch(self, kid: str | None) -> None:
        asked = monotonic()
        self._waiting += 1
        try:
            async with self._lock:
                if self._tried_at >= asked or self._is_fresh(kid):
                    return  # fetched while this one waited
                await asyncio.sleep(self._tried_at + SECONDS_BETWEEN_FETCHES - monotonic())
                await self._fetch()
        finally:
            self._waiting -= 1

    def _is_fresh(self, kid: str | None) -> bool:
        return (
            self._keys is not None
            and monotonic() - self._fetched_at < MAX_AGE_SECONDS
            and (kid is None or kid in self._kids)
        )

    async def _fetch(self) -> None:
        self._tried_at = monotonic()
        try:
            async with inner_client(timeout=5) as client:
                response = await client.get(self.psc_url + CERTS_PATH)
                response.raise_for_status()
                body = response.json()
                self._keys = KeySet.import_key_set(body)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("keys_not_fetched", error=repr(error))
            return
        self._kids = frozenset(key.get("kid", "") for key in body["keys"])
        self._fetched_at = self._tried_at
