"""Settings of the mail service (docs/environment.md)."""

from pydantic import Field

from socle.settings import Settings


class MssSettings(Settings):
    mss_port: int = 8084
    mss_smtp_port: int = Field(1587, ge=0)
    mss_imap_port: int = Field(1143, ge=0)
    """0 takes any free port: `app.state.smtp_port` and `app.state.imap_port` tell which."""

    mss_max_message_bytes: int = Field(25 * 1024 * 1024, ge=1024)
    """The operator sets it; 25 MB is the limit towards Mon espace santé (spec: mss.md §1.6)."""

    mss_hostname: str = "mss.socle.localhost"
    mss_tls13: bool = True
    """ECO.1.1.2 v0.1 read "TLS 1.2 only"; whether v1.0.1 allows 1.3 is not known (mss.md §10)."""

    mss_drop_refused_login: bool = False
    """True drops the connection after the 334 of a refused token, as an operator was seen to do
    (spec: mss.md §1.4); False goes on to the 535 that RFC 4954 and RFC 7628 prescribe."""

    mss_auth_timeout_seconds: float = 60
    mss_idle_timeout_seconds: float = 1800  # RFC 3501 §5.4: at least 30 minutes
    mss_max_connections: int = Field(500, ge=1)
