"""Nothing that Schemathesis makes up is answered by a 5xx of the provider."""

from typing import Any

import pytest

from services.psc.app import build
from services.psc.settings import PscSettings
from socle.testing.serving import serving
from tests.integration.fuzzing import find_server_errors

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("auth", ["socle-demo:socle-demo-secret", None], ids=["client", "nobody"])
async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, auth: str | None
) -> None:
    """In a space of its own."""

    def provider(url: str) -> Any:
        return build(PscSettings(**settings_values, public_url=url, default_space=space))

    slow = ("/_sandbox/psc/keys/rotate",)  # a new RSA key each time
    async with serving(provider) as url:
        await find_server_errors(url, "psc", *(("--auth", auth) if auth else ()), left_out=slow)
