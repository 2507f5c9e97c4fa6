"""The answer of an automated mailbox, over HTTP."""

from typing import Any

import httpx
import pytest

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail
from .letters import letter

pytestmark = pytest.mark.postgres


async def received(mail: Mail, **changes: Any) -> str:
    await mail.run(lambda: mail.submit(letter(**changes)))
    answer = await mail.http.get(
        f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=mail.mint.headers(mail.space, ROBERT)
    )
    return str(answer.json()["messages"][-1]["id"])


async def answer(mail: Mail, message: str, who: str = ROBERT, box: str = ROBERT_BOX, query: str = "",
                 **body: Any) -> httpx.Response:  # fmt: skip
    return await mail.http.post(
        f"/mss/mailboxes/{box}/messages/{message}/integration{query}",
        json=body,
        headers=mail.mint.headers(mail.space, who),
    )


async def inbox(mail: Mail) -> list[dict[str, Any]]:
    listed = await mail.http.get(
        f"/mss/mailboxes/{KIT_BOX}/messages", headers=mail.mint.headers(mail.space, KIT)
    )
    found: list[dict[str, Any]] = listed.json()["messages"]
    return found


async def test_the_sender_is_told_once(mail: Mail) -> None:
    message = await received(mail, read_receipt_to=KIT_BOX)
    first, again = await answer(mail, message, code=902), await answer(mail, message, code=902)
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert first.json() == again.json()
    (told,) = await inbox(mail)
    assert told["subject"].startswith("[KO Intégration système !][902] XDM/1.0/DDM+")


async def test_a_notice_is_shown_without_being_sent(mail: Mail) -> None:
    message = await received(mail)
    shown = await answer(
        mail, message, query="?send=false", form="mail", code=906, label="Autre chose"
    )
    assert shown.headers["content-type"] == "message/rfc822"
    assert b"906 Autre chose" in shown.content
    assert await inbox(mail) == []


async def test_what_may_not_be_answered_is_refused(mail: Mail) -> None:
    message = await received(mail)
    refused = await answer(mail, message, form="mdn")
    assert (refused.status_code, refused.json()["error"]) == (409, "notice_not_asked")
    for who, box in ((KIT, KIT_BOX), (KIT, ROBERT_BOX)):
        other = await answer(mail, message, who, box)
        assert other.status_code == 404
    assert (await answer(mail, message, code=899)).status_code == 400
