"""Settings of the PSC service (docs/environment.md)."""

from typing import Literal

from pydantic import Field

from services.psc.domain.client import SigningAlg
from socle.pki.thumbprints import Encoding
from socle.settings import Settings


class PscSettings(Settings):
    psc_port: int = 8081
    psc_max_body_bytes: int = 256 * 1024

    psc_access_seconds: int = Field(120, ge=1)
    psc_refresh_seconds: int = Field(1800, ge=1)
    psc_session_idle_seconds: int = Field(1800, ge=1)
    psc_session_max_seconds: int = Field(14_400, ge=1)
    psc_code_seconds: int = Field(60, ge=1)
    psc_login_seconds: int = Field(1800, ge=1)
    """How long a login page may stay open before its form is refused."""

    psc_par_seconds: int = Field(60, ge=1)
    """How long a pushed authorization request waits for its browser."""

    psc_ciba_expiry_seconds: int = Field(120, ge=1)
    """How long a CIBA request waits for its person (spec: psc.md §6.1)."""

    psc_ciba_interval_seconds: float = Field(5, ge=0)
    """The least time between two polls of one request; a hastier one is told slow_down."""

    psc_phone_pin: str = Field("1234", pattern=r"^[0-9]{4}$")
    """The PIN of every test e-CPS and of every test card."""

    psc_phone_lock_seconds: int = Field(900, ge=1)
    """How long a phone stays locked after too many wrong PINs."""

    psc_signing_alg: SigningAlg = "RS256"
    """What signs access tokens; each client chooses for its ID tokens and userinfo."""

    psc_api_seconds: int = Field(14_400, ge=1)
    """Life of an API token, for which a PSC token is exchanged (spec: psc.md §7)."""

    psc_api_refresh_seconds: int = Field(1800, ge=1)
    psc_cnf_encoding: Encoding = "ans"
    """How an API token writes the certificate's thumbprint: as the ANS's samples, or RFC 8705."""

    psc_exchange_scope_required: bool = False
    psc_exchange_certificate_required: bool = False
    """The CI-SIS requires both of an exchange; the ANS's own proxy sends no scope."""

    psc_proxy_session_seconds: int = Field(14_400, ge=1)
    psc_proxy_backends: dict[str, str] = Field(default_factory=dict)
    """Name and address of further services behind /send, as JSON."""

    psc_refresh_rotation: Literal["rotate", "keep"] = "rotate"
    """`keep` leaves a used refresh token valid, as Keycloak does by default (unverified for PSC)."""

    psc_delegated_auth_mode: str = Field("DELEGATED", pattern=r"^[A-Z_]{1,32}$")
    """What `authMode` says of a delegated provider's login (the real value is not published)."""

    psc_acr_by_auth_mode: dict[str, str] = Field(
        default_factory=lambda: {"CARD": "eidas3", "MOBILE": "eidas1"}
    )
    """What `acr` answers for each authMode; the real table changed over time (spec: psc.md §5.3)."""

    psc_userinfo_shape: Literal["2023-02", "2023-11"] = "2023-02"
    """Which of the two userinfo documents that were seen is served (spec: psc.md §5.5)."""
