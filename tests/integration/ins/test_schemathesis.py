"""Nothing that Schemathesis makes up is answered by a 5xx of the INS service."""

from typing import Any

import pytest

from services.ins.app import build
from services.ins.settings import InsSettings
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.integration.fuzzing import find_server_errors

pytestmark = pytest.mark.timeout(900)


async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, mint: TokenMint
) -> None:
    """In a space of its own. /lps is left out: SOAP answers every refusal with 500."""
    app = build(InsSettings(**settings_values, default_space=space))
    token = mint.token(space)
    async with serving(lambda _url: app) as url:
        app.state.kernel.verifier.keys = mint
        await find_server_errors(
            url, "ins", "--header", f"Authorization: Bearer {token}",
            left_out=("/lps", "/_sandbox/ins/people/synthetic"),
        )  # fmt: skip
