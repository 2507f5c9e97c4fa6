"""Settings of the gateway (docs/environment.md)."""

from pathlib import Path

from pydantic import Field

from socle.settings import Settings


class GatewaySettings(Settings):
    gateway_port: int = 8080
    gateway_tls_port: int | None = None
    """A second listener, which asks for a client certificate and takes callers without one too."""

    gateway_tls_hosts: str = ""
    """Names that its certificate carries beside localhost, comma-separated."""

    gateway_tls_client_ca: Path | None = None
    """PEM file of further authorities whose client certificates are taken, the IGC Santé's say."""

    gateway_connect_seconds: float = Field(2.0, gt=0)
    gateway_silence_seconds: float = Field(60.0, gt=0)
    """How long either side may send nothing: then a service is given up (504), a caller too (408)."""

    mss_smtp_port: int = 1587
    mss_imap_port: int = 1143

    def upstream_urls(self) -> dict[str, str]:
        return {
            "psc": self.psc_url.rstrip("/"),
            "ins": self.ins_url.rstrip("/"),
            "dmp": self.dmp_url.rstrip("/"),
            "mss": self.mss_url.rstrip("/"),
            "usage": self.usage_url.rstrip("/"),
        }
