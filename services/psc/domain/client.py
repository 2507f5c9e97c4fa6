"""A relying party as it was enrolled, and the addresses to which it may be answered."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from services.psc.domain import secrets
from services.psc.domain.pkce import Policy

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# RFC 3986 §2: anything else (spaces, controls, backslashes) is read differently by browsers.
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


@dataclass(frozen=True, slots=True)
class Client:
    """`secret_digest` is None for a public client; `loopback` opens every port of the machine."""

    space: str
    client_id: str
    name: str
    secret_digest: bytes | None = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    loopback: bool
    pkce: Policy

    def knows_secret(self, secret: str) -> bool:
        return self.secret_digest is not None and secrets.matches(secret, self.secret_digest)

    @property
    def requires_pkce(self) -> bool:
        """A public client has nothing else that binds a code to it (RFC 9700 §2.1.1)."""
        return self.pkce == "required" or (self.secret_digest is None and self.pkce != "off")

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
        return bool(parts.hostname) and parts.username is None
    return "." in parts.scheme


def is_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.username is None and parts.hostname in LOOPBACK_HOSTS
