"""Settings of the usage service (docs/environment.md)."""

from typing import Literal

from pydantic import Field

from socle.settings import Settings

Check = Literal["off", "warn", "enforce"]


class UsageSettings(Settings):
    usage_port: int = 8085
    usage_max_piece_bytes: int = Field(10 * 1024 * 1024, ge=1)
    usage_applications: Check = "warn"
    usage_declarants: Check = "off"
    usage_psc_timeout_seconds: float = Field(5.0, gt=0)
