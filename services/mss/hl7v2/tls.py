"""TLS of MLLP, in both directions: certificates of the sandbox CA, and of those that a setting names."""

import ssl
from typing import Final

from services.mss.settings import MssSettings
from services.mss.tls import CIPHERS
from socle.pki import IssuingCa, SandboxCa

PRESENTED: Final = "pfi.socle.mssante.fr"
_ASKED: Final = {
    "off": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED,
}  # fmt: skip


def listener_context(settings: MssSettings, authority: IssuingCa) -> ssl.SSLContext:
    """A client's certificate is looked at as SOCLE_MSS_MLLP_CLIENT_CERTIFICATE says; one that is not
    trusted, or out of its dates, ends the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _common(context, settings)
    authority.root.server("mss", [settings.mss_hostname]).load_into(context)
    authority.trust_into(context)
    context.verify_mode = _ASKED[settings.mss_mllp_client_certificate]
    return context


def client_context(settings: MssSettings) -> ssl.SSLContext:
    """For ZAM to an endpoint `mllps://`: its certificate must name its host."""
    authority = IssuingCa.open(SandboxCa.open(settings.home / "ca"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _common(context, settings)
    authority.trust_into(context)
    authority.root.client(PRESENTED).load_into(context)
    return context


def _common(context: ssl.SSLContext, settings: MssSettings) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.mss_tls13:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    if settings.mss_mllp_ca is not None:
        context.load_verify_locations(settings.mss_mllp_ca)
