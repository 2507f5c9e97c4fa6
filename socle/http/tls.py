"""A TLS listener that asks for a client certificate, and tells the application which it saw."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socle.http.client_certificate import TLS
from socle.http.upgrade import UpgradeIgnoringProtocol
from socle.pki import SandboxCa


def server_context(
    ca: SandboxCa, name: str, hosts: Sequence[str], client_authorities: Path | None
) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 (spec: psc.md §9). A certificate is asked for, not required.

    One that is presented must come from the sandbox's authority or a named one: else the handshake
    fails, since the library cannot pass on what it could not verify.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    ca.server(name, hosts).load_into(context)
    context.load_verify_locations(ca.root)
    if client_authorities is not None:
        context.load_verify_locations(client_authorities)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


class CertificateAwareProtocol(UpgradeIgnoringProtocol):
    """Of every listener; `scope["extensions"]` also holds the DER of the caller's certificate."""

    _certificate: bytes | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._certificate is not None and not self._resuming:
            self.scope["extensions"] = {TLS: {"der": self._certificate}}
