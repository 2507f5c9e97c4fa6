"""What the use cases share in one process."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

import httpx

from services.psc.domain.lifetimes import Lifetimes
from services.psc.domain.session import AuthMode
from services.psc.known_clients import KnownClients
from services.psc.settings import PscSettings
from services.psc.signing import Signer
from socle.auth.tokens import issuer_of
from socle.http.outgoing import inner_client
from socle.kernel import Kernel

BACKEND_SECONDS = 30.0


def _client() -> httpx.AsyncClient:
    return inner_client(timeout=httpx.Timeout(BACKEND_SECONDS, connect=5))


@dataclass
class Provider:
    kernel: Kernel
    settings: PscSettings
    signer: Signer
    clients: KnownClients
    http: httpx.AsyncClient = field(default_factory=_client)
    """Of the Proxy e-Santé, towards the services behind it."""

    @classmethod
    def of(cls, kernel: Kernel) -> "Provider":
        assert isinstance(kernel.settings, PscSettings)
        settings = kernel.settings
        kept = timedelta(seconds=settings.psc_session_max_seconds)
        return cls(
            kernel,
            settings,
            Signer(kernel.database, kept),
            KnownClients(kernel.database, settings.default_space),
        )

    @cached_property
    def lifetimes(self) -> Lifetimes:
        settings = self.settings
        return Lifetimes(
            access=timedelta(seconds=settings.psc_access_seconds),
            refresh=timedelta(seconds=settings.psc_refresh_seconds),
            session_idle=timedelta(seconds=settings.psc_session_idle_seconds),
            session_max=timedelta(seconds=settings.psc_session_max_seconds),
            code=timedelta(seconds=settings.psc_code_seconds),
            login_page=timedelta(seconds=settings.psc_login_seconds),
            ciba=timedelta(seconds=settings.psc_ciba_expiry_seconds),
            ciba_interval=timedelta(seconds=settings.psc_ciba_interval_seconds),
            phone_lock=timedelta(seconds=settings.psc_phone_lock_seconds),
            pushed=timedelta(seconds=settings.psc_par_seconds),
        )

    def issuer(self, prefix: str) -> str:
        """`prefix` is "" or /s/<space>: clients compare the issuer with where they found it."""
        return issuer_of(self.settings.public_url, prefix)

    def tls_base(self, prefix: str) -> str:
        """The realm where a client certificate is seen."""
        return issuer_of(self.settings.public_tls_url or self.settings.public_url, prefix)

    def issuers(self, space: str) -> tuple[str, ...]:
        """Every name under which clients of this space meet the provider."""
        bases = [self.settings.public_url, self.settings.public_tls_url]
        return tuple(
            issuer_of(base, prefix) for base in bases if base for prefix in ("", f"/s/{space}")
        )

    def auth_mode_claim(self, mode: AuthMode) -> str:
        return self.settings.psc_delegated_auth_mode if mode == "DELEGATED" else mode

    def acr_of(self, auth_mode: str) -> str:
        return self.settings.psc_acr_by_auth_mode.get(auth_mode, "eidas1")
