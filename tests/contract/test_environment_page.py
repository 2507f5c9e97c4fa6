"""docs/environment.md names every setting, and no setting that does not exist."""

import re
from pathlib import Path

from gateway.settings import GatewaySettings
from services.catalogue import SERVICES
from socle.cli.serve import settings_of
from socle.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "environment.md"
# Read by what is beside the services: `socle up`, the broker without Docker, tests, load, failpoints.
TOOLS = {
    "SOCLE_FORK", "SOCLE_KAFKA_PORT", "SOCLE_TEST_DATABASE_URL", "SOCLE_SAMPLES", "SOCLE_FAILPOINTS",
    "SOCLE_LOAD_SPACE", "SOCLE_LOAD_BYTES", "SOCLE_TEST_KAFKA_PORT",
}  # fmt: skip


def test_names_every_setting_and_no_other() -> None:
    classes: list[type[Settings]] = [GatewaySettings, *(type(settings_of(s)) for s in SERVICES)]
    fields = {f"SOCLE_{name.upper()}" for cls in classes for name in cls.model_fields}
    named = set(re.findall(r"^\| `(SOCLE_[A-Z0-9_]+)`", PAGE.read_text(), re.MULTILINE))

    assert named == fields | TOOLS
