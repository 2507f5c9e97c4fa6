"""Nothing that Schemathesis makes up is answered by a 5xx of the mail service."""

from pathlib import Path
from typing import Any

import pytest

from services.mss.app import build
from services.mss.settings import MssSettings
from socle.testing.serving import serving
from socle.testing.tokens import TokenMint
from tests.integration.fuzzing import find_server_errors

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


async def test_finds_no_server_error(
    settings_values: dict[str, Any], space: str, mint: TokenMint, ins_url: str, home: Path
) -> None:
    """In a space of its own, with a real INS: whatever address is made up may be a patient's. Left out
    are long polls, and bodies of message/rfc822, for which it has no words."""
    app = build(
        MssSettings(
            **settings_values, default_space=space, ins_url=ins_url, home=home, mss_smtp_port=0,
            mss_imap_port=0, mss_peer_port=0, mss_mllp_port=0, mss_mllp_tls_port=0,
        )
    )  # fmt: skip
    token = mint.token(space)
    async with serving(lambda _url: app) as url:
        app.state.kernel.verifier.keys = mint
        await find_server_errors(
            url,
            "mss",
            "--header",
            f"Authorization: Bearer {token}",
            "--include-path-regex",
            "^/(mss|_sandbox/mss)/(patient|messages|mailboxes|documents|reports|lint|hl7)",
            left_out=(
                "/mss/mailboxes/{address}/messages",
                "/mss/messages/eml",
                "/_sandbox/mss/mailboxes/{address}/eml",
            ),
        )
