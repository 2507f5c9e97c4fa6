"""The process dies around a patient's conversation: what came of it stands once, or not at all."""

import signal
import smtplib
import ssl
from pathlib import Path

import httpx
import pytest

from socle.db.database import Database
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .citizen import LEO, Citizen, letter, received
from .conftest import KIT, KIT_BOX, Mail, xoauth2
from .running import DROPPED, environment_of, start

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("nothing_pending")]


async def test_deliveries_bounces_receipts_and_replies_are_neither_lost_nor_doubled(
    mail: Mail, database: Database, database_url: str, mint: TokenMint, home: Path
) -> None:
    """Another process of the same service dies each time; the test's own goes on."""
    with environment_of(
        database_url,
        home,
        mint,
        SOCLE_PSEUDONYM_KEY="test-pseudonym-key",
        SOCLE_FAILPOINTS="mss.stored=1,mss.read=1,mss.replied=1",
    ) as environment:
        await die_again_and_again(mail, database, home, environment)


async def die_again_and_again(
    mail: Mail, database: Database, home: Path, environment: dict[str, str]
) -> None:
    anne, leo = Citizen(mail, database), Citizen(mail, database, LEO)
    for citizen in (anne, leo):
        await citizen.say()
    await leo.ask("/close")
    sent = letter(Disposition_Notification_To=KIT_BOX)

    def submit(port: int) -> None:
        trust = ssl.create_default_context(cafile=str(home / "ca" / "root.pem"))
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_SECONDS) as client:
            client.starttls(context=trust)
            client.ehlo()
            client.auth("XOAUTH2", lambda _=None: xoauth2(KIT_BOX, mail.token()))
            client.sendmail(KIT_BOX, [anne.address, leo.address], sent)

    async def die_at(path: str, key: str = "", **body: str) -> None:
        """The patient asks the other process, which dies when it has committed."""
        process = start(environment)
        url = f"http://127.0.0.1:{environment['SOCLE_MSS_PORT']}/s/{mail.space}/_sandbox/mss/patient{path}"
        headers = {"Idempotency-Key": key} if key else {}
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.post(url, json={"address": anne.address, **body}, headers=headers)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL

    process = start(environment)
    with pytest.raises(DROPPED):
        await mail.run(lambda: submit(int(environment["SOCLE_MSS_SMTP_PORT"])))
    assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    await mail.run(lambda: submit(mail.app.state.smtp_port))
    (question,) = await anne.inbox()
    assert [one["Subject"] for one in await received(mail)] == ["Message non distribué"]

    await die_at("/messages/read", id=question["id"])
    assert (await anne.ask("/messages/read", id=question["id"]))["read_at"]
    await die_at("/messages/reply", key="reply", id=question["id"], text="Oui")
    again = await anne.post("/messages/reply", key="reply", id=question["id"], text="Oui")
    assert again.status_code == 200, again.text

    subjects = [str(one["Subject"]) for one in await received(mail, KIT, KIT_BOX)]
    assert subjects == [
        "Message non distribué", "Lu : Votre compte rendu", "Re: Votre compte rendu",
    ]  # fmt: skip
    counts = {
        kind: len(await anne.events(kind))
        for kind in ("accepted", "delivered", "refused", "read", "replied")
    }
    assert counts == {"accepted": 2, "delivered": 2, "refused": 1, "read": 1, "replied": 1}
