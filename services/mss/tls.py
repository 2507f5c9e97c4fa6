"""The TLS of the mail servers: MSSanté's versions and suites, the sandbox CA's certificate."""

import ssl

from services.mss.settings import MssSettings
from socle.pki import SandboxCa

# ECO.1.1.3, verbatim in v0.1 of Référentiel #2 (spec: mss.md §1.3).
CIPHERS = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"
)


def server_context(settings: MssSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.mss_tls13:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    ca = SandboxCa.open(settings.home / "ca")
    ca.server("mss", [settings.mss_hostname]).load_into(context)
    return context
