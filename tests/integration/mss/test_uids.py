"""UIDs under concurrent deliveries."""

import asyncio

import pytest

from services.mss.domain.envelope import Envelope, Recipient
from services.mss.intake import Submitter

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres


async def test_uids_grow_without_gap_when_many_submit_together(mail: Mail) -> None:
    intake = mail.app.state.intake
    submitter = Submitter(mail.space, KIT_BOX, KIT)
    both = (Recipient(ROBERT_BOX), Recipient(KIT_BOX))
    await asyncio.gather(
        *(
            # Crossing orders would deadlock if folders were locked as given.
            intake.submit(
                submitter, Envelope(KIT_BOX, both[:: 1 - 2 * (n % 2)]), message(f"<{n}@x>")
            )
            for n in range(20)
        )
    )
    answer = await mail.http.get(
        f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=mail.mint.headers(mail.space, ROBERT)
    )
    assert [found["uid"] for found in answer.json()["messages"]] == list(range(1, 21))
