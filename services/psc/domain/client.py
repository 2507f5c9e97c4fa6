"""A relying party as it was enrolled, and the addresses to which it may be answered."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from services.psc.domain import secrets
from services.psc.domain.pkce import Policy

AuthMethod = Literal[
    "none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"
]
SigningAlg = Literal["RS256", "ES256"]
SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
# The whole authority: what a library makes of "[::1].evil.example" differs from one to the next.
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
_AUTHORITY = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
# RFC 3986 §2: anything else (spaces, controls, backslashes) is read differently by browsers.
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


@dataclass(frozen=True, slots=True)
class Client:
    """Fields are named as in RFC 7591 and RFC 8705 where these have a name.

    `secret_digest` is there for the two methods with a secret only, which Keycloak takes for one
    another. `loopback` opens every port of the user's machine; `auto_approve` answers each request
    for a phone or card at once, in the person's place.
    """

    space: str
    client_id: str
    name: str
    secret_digest: bytes | None = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    loopback: bool
    pkce: Policy
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105 (a name)
    jwks: dict[str, Any] | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    id_token_signed_response_alg: SigningAlg = "RS256"  # noqa: S105 (a name)
    userinfo_signed_response_alg: SigningAlg | None = None
    ciba: bool = True
    auto_approve: bool = False

    @property
    def public(self) -> bool:
        """Anyone could claim to be this client."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 (a name)

    def knows_secret(self, secret: str) -> bool:
        return self.secret_digest is not None and secrets.matches(secret, self.secret_digest)

    @property
    def requires_pkce(self) -> bool:
        """A public client has nothing else that binds a code to it (RFC 9700 §2.1.1)."""
        return self.pkce == "required" or (self.public and self.pkce != "off")

    def may_redirect_to(self, uri: str) -> bool:
        return self._may_use(uri, self.redirect_uris)

    def may_log_out_to(self, uri: str) -> bool:
        return self._may_use(uri, self.post_logout_redirect_uris)

    def _may_use(self, uri: str, registered: tuple[str, ...]) -> bool:
        """Exact match; RFC 8252 §7.3 for a client that listens on the user's own machine."""
        if not is_absolute_uri(uri):
            return False
        return uri in registered or (self.loopback and is_loopback(uri))


def is_absolute_uri(uri: str) -> bool:
    """An absolute URI without fragment (RFC 6749 §3.1.2) and without characters of ill repute."""
    if not _URI_CHARACTERS.fullmatch(uri) or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    # A scheme such as javascript: or data: would run in the browser; native schemes have a dot.
    if parts.scheme in ("http", "https"):
        return _AUTHORITY.fullmatch(parts.netloc) is not None
    return "." in parts.scheme


def is_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and _LOOPBACK.fullmatch(parts.netloc) is not None
