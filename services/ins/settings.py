"""Settings of the INS service (docs/environment.md)."""

from pathlib import Path
from typing import Literal

from socle.settings import Settings

Check = Literal["off", "warn", "enforce"]


class InsSettings(Settings):
    ins_port: int = 8082
    ins_max_body_bytes: int = 256 * 1024
    ins_max_batch_bytes: int = 16 * 1024 * 1024
    ins_max_batch_lines: int = 50_000
    """Of one batch of verifications; the limit of the real service is not public."""

    ins_authentication: Check = "enforce"
    """Whether a call to /lps needs a live PSC token, a software certificate or a signed assertion."""
    ins_headers: Check = "enforce"
    """Whether ContexteBAM, ContexteLPS and WS-Addressing must be there, once and complete."""
    ins_assertion: Check = "enforce"
    """Whether an assertion that is sent must be right; software with a certificate sends none."""
    ins_assertion_ca: Path | None = None
    """PEM of further authorities whose certificates may sign assertions."""
    ins_known_idams: frozenset[str] = frozenset()
    """CNDA authorisation numbers that pass; empty lets every well-formed one pass."""
    ins_soap_prefix: Literal["soap", "S"] = "S"
    """INSi has answered with both prefixes over time; clients that search for `S:` exist."""
    ins_fr_core: Literal["2.1", "2.2"] = "2.1"
    """The version of FR Core that patients follow: 2.2 separates status and attributes."""
