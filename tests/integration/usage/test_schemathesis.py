"""Nothing that Schemathesis makes up is answered by a 5xx of the usage service."""

from typing import Any

import pytest

from services.usage.app import build
from services.usage.settings import UsageSettings
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.integration.fuzzing import find_server_errors

pytestmark = pytest.mark.timeout(900)


async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, mint: TokenMint
) -> None:
    app = build(UsageSettings(**settings_values, default_space=space))
    token = mint.token(space)
    async with serving(lambda _url: app) as url:
        app.state.kernel.verifier.keys = mint
        await find_server_errors(
            url, "usage", "--header", f"Authorization: Bearer {token}", left_out=()
        )
