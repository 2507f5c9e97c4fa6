"""Settings of the mail service (docs/environment.md)."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from services.mss.domain.trust import Mode
from socle.settings import Settings


class MssSettings(Settings):
    mss_port: int = 8084
    mss_smtp_port: int = Field(1587, ge=0)
    mss_imap_port: int = Field(1143, ge=0)
    mss_peer_port: int = Field(1025, ge=0)
    """0 takes any free port: `app.state.smtp_port`, `imap_port` and `peer_port` tell which."""

    mss_smtps_port: int = Field(0, ge=0)
    mss_imaps_port: int = Field(0, ge=0)
    """TLS from the first octet on, for clients that know no STARTTLS; 0 opens none. MSSanté's way is
    STARTTLS (ECO.1.0.1, ECO.1.0.2)."""

    mss_processes: int = Field(1, ge=1, le=64)
    """Those that speak SMTP and IMAP (processes.py)."""

    mss_max_message_bytes: int = Field(25 * 1024 * 1024, ge=1024)
    """The operator sets it; 25 MB is the limit towards Mon espace santé (spec: mss.md §1.6)."""

    mss_batch_size: int = Field(64, ge=1)
    """Mails committed together at most; nobody waits for others to come."""

    mss_batch_bytes: int = Field(8 * 1024 * 1024, ge=1)
    mss_flushes: int = Field(2, ge=1)
    """Commits under way at once."""

    mss_queue_bytes: int = Field(256 * 1024 * 1024, ge=1)
    """Of mails that wait for their commit; beyond, the answer is 451."""

    mss_hostname: str = "mss.socle.localhost"
    mss_tls13: bool = True
    """ECO.1.1.2 v0.1 read "TLS 1.2 only"; whether v1.0.1 allows 1.3 is not known (mss.md §10)."""

    mss_ecdsa: bool = False
    """True shows clients of TLS 1.3 a certificate with a P-256 key, whose signature takes a tenth of the
    time of RSA's. Those of TLS 1.2 are shown RSA always: its suites ask for it (ECO.1.1.3)."""

    mss_drop_refused_login: bool = False
    """True drops the connection after the 334 of a refused token, as an operator was seen to do
    (spec: mss.md §1.4); False goes on to the 535 that RFC 4954 and RFC 7628 prescribe."""

    mss_trust: Mode = "enforce"
    """The rules between operators where a space has set no mode of its own (domain/trust.py)."""

    mss_trust_receiver: Mode = "off"
    """The same of TRUST-RECEIVER: whether operators look at the receiver's certificate is not known."""

    mss_couriers: int = Field(2, ge=0, le=32)
    """Deliveries to other operators at once, in this process; 0 leaves them to other processes, which
    must have the same SOCLE_HOME: its authority is what peers trust."""

    mss_queue_retry_seconds: float = Field(5, gt=0)
    """After the first attempt to reach another operator or the DMP; twice as long after each further
    one."""

    mss_queue_lifetime_seconds: float = Field(4 * 3600, gt=0)
    """After which the sender is told that it did not arrive; RFC 5321 §4.5.4.1 has days."""

    mss_app_certificate: Mode = "enforce"
    """Whether an applicative mailbox is closed to tokens on SMTP and IMAP (spec: mss.md §1.4)."""

    mss_sessions_end_with_token: bool = False
    """What operators do with a session whose token expires is not known."""

    mss_client_ca: Path | None = None
    """PEM file of further authorities whose certificates may open applicative mailboxes."""
    mss_lint: Literal["off", "warn", "enforce"] = "warn"
    """What becomes of the rules on messages, in spaces that did not say (PUT /_sandbox/mss/lint)."""

    mss_from: Mode = "off"
    """Whether From must be the mailbox that sends, at the end of DATA; reports say it in any case. No
    text found tells what operators do."""

    mss_mllp_host: str = "127.0.0.1"
    """MLLP knows no login: whoever reaches this address sends mails."""
    mss_mllp_port: int = Field(2575, ge=0)
    mss_mllp_tls_port: int = Field(2576, ge=0)
    """A second listener, over TLS; 0 opens none."""
    mss_mllp_client_certificate: Literal["off", "optional", "required"] = "optional"
    """Of whoever connects to it."""
    mss_mllp_ca: Path | None = None
    """PEM file of further authorities: of clients there, and of endpoints `mllps://`."""
    mss_mllp_idle_seconds: float = Field(300, gt=0)
    mss_hl7_combinations: Literal["enforce", "warn"] = "enforce"
    """The guide says that any other combination of flags is an error, and its own examples are."""
    mss_hl7_profile: Literal["off", "enforce"] = "enforce"
    """Whether MSH-21 must name the guide and its version."""

    mss_keep_days: int = Field(30, ge=0)
    """Texts of older messages that lie in no folder are removed (purge.py); 0 keeps them all."""

    mss_auth_timeout_seconds: float = 60
    mss_idle_timeout_seconds: float = 1800  # RFC 3501 §5.4: at least 30 minutes
    mss_annuaire_api_key: Literal["off", "enforce"] = "enforce"
    """Whether /fhir/v2 asks for ESANTE-API-KEY; a space may set another."""

    mss_annuaire_calls_per_second: int = Field(0, ge=0)
    """Beyond them a key is answered 429, as by the real gateway at 17; 0 counts nothing."""

    mss_annuaire_as_in_production: bool = False
    """Refuses what the real directory does not know yet: `mailbox-mss-type`, `_type`, batches and
    PATCH (tests of ANS of 12 June 2026, spec: mss.md §2); a space may set another."""

    mss_max_connections: int = Field(500, ge=1)
    mss_ins_timeout_seconds: float = Field(5.0, gt=0)
