"""The certificate that a caller presented: to our own TLS listener, or to a proxy that we trust.

A header proves nothing by itself, so it is read only when the caller is a proxy of
SOCLE_TRUSTED_PROXIES, or shows the key that the gateway shares with the services.
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.types import Scope

from socle.errors import Category, DomainError
from socle.http.context import header
from socle.settings import Settings

FORWARDED: Final = "Client-Cert"
"""RFC 9440: how the gateway passes a certificate on."""

GATEWAY_KEY: Final = "X-Socle-Gateway"
TLS: Final = "socle.client_certificate"
"""The member of `scope["extensions"]` that the TLS listener fills: `{"der": bytes}`."""


def presented(scope: Scope, settings: Settings) -> x509.Certificate | None:
    """None when there is none, or when nobody whom we trust has seen it."""
    seen = scope.get("extensions", {}).get(TLS)
    if seen is not None:
        return _certificate(seen["der"])
    if _is_from_gateway(scope, settings):
        return _read(header(scope, FORWARDED.lower().encode()), FORWARDED)
    if _is_from_trusted_proxy(scope, settings):
        name = settings.client_cert_header
        return _read(header(scope, name.lower().encode()), name)
    return None


def thumbprint(certificate: x509.Certificate) -> bytes:
    """The SHA-256 of RFC 8705 §3.1, 32 bytes."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def as_field(certificate: x509.Certificate) -> str:
    """A byte sequence of RFC 8941, as RFC 9440 §2.2 wants it."""
    encoded = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return f":{encoded}:"


def _is_from_gateway(scope: Scope, settings: Settings) -> bool:
    given = header(scope, GATEWAY_KEY.lower().encode())
    if not given or settings.gateway_key is None:
        return False
    expected = settings.gateway_key.get_secret_value()
    return hmac.compare_digest(given.encode(), expected.encode())


def _is_from_trusted_proxy(scope: Scope, settings: Settings) -> bool:
    client = scope.get("client")
    if client is None or not settings.trusted_proxies:
        return False
    try:
        address = ip_address(client[0])
    except ValueError:  # a Unix socket, a test client
        return False
    return any(address in network for network in settings.trusted_proxies)


def _read(value: str, name: str) -> x509.Certificate | None:
    """Either form that proxies write: RFC 9440's, or a percent-encoded PEM (nginx, ingress-nginx)."""
    value = value.strip()
    if not value:
        return None
    try:
        if value.startswith(":") and value.endswith(":"):
            return _certificate(base64.b64decode(value[1:-1], validate=True))
        return _from_pem(unquote(value))
    except (binascii.Error, ValueError) as error:
        raise DomainError(
            Category.INCORRECT,
            "client_certificate_malformed",
            f"The field {name} holds no certificate; it is :<base64 of the DER>: (RFC 9440), or a "
            "percent-encoded PEM.",
        ) from error


@lru_cache(256)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


@lru_cache(256)
def _from_pem(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
