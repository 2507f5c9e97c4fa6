"""Nothing that Schemathesis makes up is answered by a 5xx of the DMP."""

from typing import Any

import pytest

from services.dmp.api import soap
from services.dmp.app import build
from services.dmp.settings import DmpSettings
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.integration.fuzzing import find_server_errors

SOAP = ("registry", "repository", "patients", "habilitations")
pytestmark = pytest.mark.timeout(900)


async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, mint: TokenMint, ins_url: str
) -> None:
    """In a space of its own. SOAP is left out, which answers every refusal with 500."""
    app = build(DmpSettings(**settings_values, default_space=space, ins_url=ins_url))
    token = mint.token(space)
    async with serving(lambda _url: app) as url:
        app.state.kernel.verifier.keys = mint
        await find_server_errors(
            url, "dmp", "--header", f"Authorization: Bearer {token}",
            left_out=tuple(f"{soap.PREFIX}/{name}" for name in SOAP),
        )  # fmt: skip
