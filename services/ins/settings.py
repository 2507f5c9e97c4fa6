"""Settings of the INS service (docs/environment.md)."""

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
    """Whether a call to /lps needs a live PSC token or a software certificate."""
    ins_headers: Check = "enforce"
    """Whether ContexteBAM, ContexteLPS and WS-Addressing must be there, once and complete."""
    ins_known_idams: frozenset[str] = frozenset()
    """CNDA authorisation numbers that pass; empty lets every well-formed one pass."""
    ins_soap_prefix: Literal["soap", "S"] = "S"
    """INSi has answered with both prefixes over time; clients that search for `S:` exist."""
    ins_fr_core: Literal["2.1", "2.2"] = "2.1"
    """The version of FR Core that patients follow: 2.2 separates status and attributes."""
