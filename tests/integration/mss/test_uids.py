"""UIDs under concurrent deliveries."""

import asyncio

import pytest

from services.mss import service

from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .samples import message

pytestmark = pytest.mark.postgres


async def test_uids_grow_without_gap_when_many_submit_together(mail: Mail) -> None:
    kernel = mail.app.state.kernel
    both = [ROBERT_BOX, KIT_BOX]  # crossing orders would deadlock if folders were locked as given
    await asyncio.gather(
        *(
            service.submit(
                kernel, mail.space, KIT_BOX, both[:: 1 - 2 * (n % 2)], message(f"<{n}@x>")
            )
            for n in range(20)
        )
    )
    answer = await mail.http.get(
        f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=mail.mint.headers(mail.space, ROBERT)
    )
    assert [found["uid"] for found in answer.json()["messages"]] == list(range(1, 21))
