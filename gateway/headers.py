"""Header fields on their way through, in both directions (RFC 9110 §7.6)."""

from collections.abc import Iterable

from multidict import CIMultiDict
from starlette.types import Scope

from socle.http import client_certificate
from socle.settings import Settings

RawHeaders = Iterable[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
# Only this hop knows who calls, so what a client says of it is dropped: a certificate that no TLS
# listener has seen (RFC 9440) most of all. `Expect` is answered by the gateway's own server; the
# Host and the length are set for the next hop.
_NOT_FORWARDED = _HOP_BY_HOP | {
    b"host", b"content-length", b"expect", b"x-correlation-id", b"forwarded", b"x-real-ip",
    b"client-cert", b"client-cert-chain", b"x-socle-gateway",
}  # fmt: skip
_SAID_BY_PROXIES = b"x-forwarded-"
# The gateway's server and its middleware write these three themselves.
_NOT_RETURNED = _HOP_BY_HOP | {b"date", b"x-correlation-id", b"x-socle"}


def forwarded(scope: Scope, correlation_id: str, settings: Settings) -> CIMultiDict[str]:
    """The fields to send to the service. A certificate goes on if it was seen, here or by a proxy
    that is trusted, and then with the proof that it comes from the gateway."""
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    named = _named_by_connection(raw)
    fields: CIMultiDict[str] = CIMultiDict()
    host = ""
    for name, value in raw:
        if name == b"host":
            host = host or text(value)  # a trailer field of that name comes later in the list
        elif _is_forwarded(name) and name not in named:
            fields.add(name.decode("latin-1"), text(value))
    client = scope.get("client")
    fields["X-Forwarded-For"] = client[0] if client else "unknown"
    fields["X-Forwarded-Proto"] = scope["scheme"]
    fields["X-Forwarded-Host"] = host
    fields["X-Correlation-Id"] = correlation_id
    certificate = client_certificate.presented(scope, settings)
    if certificate is not None and settings.gateway_key is not None:
        fields[client_certificate.FORWARDED] = client_certificate.as_field(certificate)
        fields[client_certificate.GATEWAY_KEY] = settings.gateway_key.get_secret_value()
    return fields


def returned(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The fields to give back: in order, duplicates (Set-Cookie) included."""
    lowered = [(name.lower(), value) for name, value in raw]
    named = _named_by_connection(lowered)
    return [item for item in lowered if item[0] not in _NOT_RETURNED and item[0] not in named]


def _is_forwarded(name: bytes) -> bool:
    return name not in _NOT_FORWARDED and not name.startswith(_SAID_BY_PROXIES)


def _named_by_connection(raw: RawHeaders) -> frozenset[bytes]:
    """`Connection: close, X-Trace` makes X-Trace a matter of this hop too."""
    return frozenset(
        option.strip().lower()
        for name, value in raw
        if name == b"connection"
        for option in value.split(b",")
    )


def text(value: bytes) -> str:
    """Text that the client library, which writes UTF-8, turns back into the same bytes.

    Only a value that is not UTF-8 (obsolete since RFC 7230) comes out re-encoded.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
