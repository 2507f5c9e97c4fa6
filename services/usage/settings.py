"""Settings of the usage service (docs/environment.md)."""

from socle.settings import Settings


class UsageSettings(Settings):
    usage_port: int = 8085
