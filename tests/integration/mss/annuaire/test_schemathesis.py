"""Nothing that Schemathesis makes up is answered by a 5xx of the directory."""

from pathlib import Path
from typing import Any

import pytest

from services.mss.annuaire.seed import DEMO_KEY
from services.mss.app import build
from services.mss.settings import MssSettings
from socle.testing.serving import serving
from tests.integration.fuzzing import find_server_errors

pytestmark = [pytest.mark.timeout(900), pytest.mark.postgres]


async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, tmp_path: Path
) -> None:
    """In a space of its own; the rest of the service is left to its own tests."""
    app = build(
        MssSettings(
            **settings_values,
            default_space=space,
            home=tmp_path,
            mss_smtp_port=0,
            mss_imap_port=0,
            mss_peer_port=0,
            mss_mllp_port=0,
            mss_mllp_tls_port=0,
            mss_couriers=0,
        )
    )
    async with serving(lambda _url: app) as url:
        await find_server_errors(
            url, "mss", "--header", f"ESANTE-API-KEY: {DEMO_KEY}",
            "--include-path-regex", r"^(/fhir/v2|/_sandbox/mss/annuaire/(keys|people|settings))",
            left_out=(),
        )  # fmt: skip
