"""What is refused is told as an event for each recipient, with what is known of the message by then."""

import asyncio
import smtplib
from pathlib import Path
from typing import Any

import pytest

from socle.db.database import Database
from socle.testing.tokens import TokenMint
from tests.patience import PATIENCE_SECONDS

from .certificates import held
from .citizen import Citizen, letter
from .conftest import KIT, KIT_BOX, ROBERT_BOX, Mail, mail_service
from .samples import message

pytestmark = pytest.mark.postgres

FAR_BOX = "far.away@voisin.mssante.fr"
"""Of another operator; whether there is such a mailbox is not for the sender to know."""


async def control(mail: Mail, method: str, path: str, body: Any = None) -> None:
    answer = await mail.http.request(method, f"/s/{mail.space}/_sandbox/mss{path}", json=body)
    assert answer.is_success, answer.text


async def refused(mail: Mail, database: Database, wanted: int = 1) -> list[dict[str, Any]]:
    """Waited for: what a courier gives up is told after its attempt."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await Citizen(mail, database).events("refused")
            if len(found) >= wanted:
                break
            await asyncio.sleep(0.05)
    assert len(found) == wanted
    return found


def submit(mail: Mail, content: bytes, *to: str) -> int:
    """The code at the end of DATA; no SIZE is announced."""
    with mail.smtp() as client:
        assert client.docmd("MAIL", f"FROM:<{KIT_BOX}>")[0] == 250
        for one in to:
            assert client.rcpt(one)[0] == 250
        return int(client.data(content)[0])


class TestAtRcpt:
    async def test_tells_that_there_is_no_such_mailbox(
        self, mail: Mail, database: Database
    ) -> None:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await mail.run(lambda: mail.submit(message(), "no.one@socle.mssante.fr"))
        (told,) = await refused(mail, database)
        assert (told["reason"], told["recipient_kind"], told["code"]) == (
            "mailbox_unknown", None, 550,
        )  # fmt: skip
        assert (told["sender_kind"], told["professional"]) == ("PER", KIT)
        assert (told["cda_codes"], told["ins"], told["nil"]) == ([], None, None)

    async def test_tells_the_kind_of_a_mailbox_that_is_closed(
        self, mail: Mail, database: Database
    ) -> None:
        await control(mail, "PATCH", f"/mailboxes/{ROBERT_BOX}", {"active": False})
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await mail.run(lambda: mail.submit(message()))
        (told,) = await refused(mail, database)
        assert (told["reason"], told["recipient_kind"]) == ("mailbox_closed", "PER")


class TestAtData:
    async def test_tells_each_recipient_of_a_mail_that_breaks_the_rules(
        self, mail: Mail, database: Database
    ) -> None:
        citizen = Citizen(mail, database)
        await citizen.say()
        await control(mail, "PUT", "/lint", {"mode": "enforce"})
        sent = letter(X_MSS_CODECDA="11502-2", X_MSS_INS="O")  # no document is inside
        to = (ROBERT_BOX, citizen.address, FAR_BOX)
        assert await mail.run(lambda: submit(mail, sent, *to)) == 550
        told = await refused(mail, database, 3)
        assert [it["recipient_kind"] for it in told] == ["PER", "PATIENT", "EXTERNAL"]
        assert [it["patient"] for it in told] == [None, citizen.pseudonym, None]
        assert {it["message"] for it in told} == {told[0]["message"]}
        for it in told:
            assert (it["reason"], it["code"], it["told_by"]) == ("not_conformant", 550, "smtp")
            assert (it["cda_codes"], it["ins"], it["nil"]) == (["11502-2"], "O", "DEV935997")
        assert [it["direction"].rpartition("-")[2] for it in told] == [
            "professional", "patient", "professional",
        ]  # fmt: skip
        assert await citizen.events("accepted") == []

    async def test_names_the_structure_of_the_mailbox(self, mail: Mail, database: Database) -> None:
        box = "service@socle.mssante.fr"
        made = {
            "address": box, "kind": "ORG", "label": "S", "owners": [KIT], "structure": "1750712184",
        }  # fmt: skip
        await control(mail, "POST", "/mailboxes", made)

        def work() -> None:
            with mail.smtp(KIT, box) as client:
                client.sendmail(box, ["no.one@socle.mssante.fr"], message())

        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await mail.run(work)
        (told,) = await refused(mail, database)
        assert told["structure"] == {"kind": "finess", "number": "750712184"}

    @pytest.mark.parametrize(
        ("content", "code", "reason"),
        [
            (b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 100_000, 552, "too_large"),
            (b"Subject: x\r\n\r\n" + b"x" * 2000 + b"\r\n", 500, "line_too_long"),
        ],
    )
    async def test_tells_of_a_text_that_is_dropped(
        self, mail: Mail, database: Database, content: bytes, code: int, reason: str
    ) -> None:
        assert await mail.run(lambda: submit(mail, content, ROBERT_BOX)) == code
        (told,) = await refused(mail, database)
        assert (told["reason"], told["code"], told["recipient_kind"]) == (reason, code, "PER")

    async def test_tells_of_a_mailbox_that_fills_up(self, mail: Mail, database: Database) -> None:
        await control(mail, "PATCH", f"/mailboxes/{ROBERT_BOX}", {"quota_bytes": 1024})
        assert await mail.run(lambda: submit(mail, message() + b"x" * 900, ROBERT_BOX)) == 452
        (told,) = await refused(mail, database)
        assert (told["reason"], told["code"]) == ("mailbox_full", 452)

    async def test_tells_of_a_mail_over_http_that_is_too_large(
        self, mail: Mail, database: Database
    ) -> None:
        body = {"from": KIT_BOX, "to": [ROBERT_BOX], "text": "x" * 999_000}
        answer = await mail.http.post(
            "/mss/messages", json=body, headers=mail.mint.headers(mail.space, KIT)
        )
        assert answer.status_code == 413
        (told,) = await refused(mail, database)
        assert told["reason"] == "too_large"


class TestBetweenOperators:
    async def test_whoever_serves_the_recipient_tells(self, mail: Mail, database: Database) -> None:
        await mail.run(lambda: mail.submit(message(), FAR_BOX))
        (told,) = await refused(mail, database)
        assert (told["reason"], told["recipient_kind"], told["told_by"]) == (
            "mailbox_unknown", None, "smtp",
        )  # fmt: skip

    async def test_the_sender_tells_what_the_receiver_did_not_get_to_know(
        self, mail: Mail, database: Database
    ) -> None:
        gone = await mail.http.delete(
            f"/s/{mail.space}/_sandbox/mss/trust/domains/socle.mssante.fr"
        )
        assert gone.status_code == 204
        await mail.run(lambda: mail.submit(message(), FAR_BOX))
        (told,) = await refused(mail, database)
        assert (told["reason"], told["code"], told["told_by"]) == (
            "operator_refused",
            550,
            "report",
        )
        assert (told["sender_kind"], told["recipient_kind"]) == ("PER", "EXTERNAL")
        (accepted,) = await Citizen(mail, database).events("accepted")
        assert told["message"] == accepted["message"]

    async def test_what_is_put_off_is_told_when_it_is_given_up(
        self,
        settings_values: dict[str, Any],
        mint: TokenMint,
        space: str,
        home: Path,
        database: Database,
    ) -> None:
        async with mail_service(
            settings_values, mint, space, home,
            mss_queue_lifetime_seconds=0.1, mss_queue_retry_seconds=0.2,
        ) as mail:  # fmt: skip
            busy = {"answer": "451 4.3.2 Later, please"}
            await control(mail, "PUT", "/trust/operators/voisin/answer", busy)
            await mail.run(lambda: mail.submit(message(), FAR_BOX))
            (told,) = await refused(mail, database)
            assert (told["reason"], told["code"]) == ("operator_unreachable", 451)

    async def test_a_patients_refusal_of_anothers_mail_is_told_beside_its_report(
        self, mail: Mail, database: Database, tmp_path: Path
    ) -> None:
        citizen = Citizen(mail, database)
        await citizen.say()
        await citizen.ask("/close")
        own = await held(mail, "/trust/operators/voisin/certificates", tmp_path)

        def work() -> None:
            with smtplib.SMTP(
                "127.0.0.1", mail.app.state.peer_port, timeout=PATIENCE_SECONDS
            ) as client:
                client.starttls(context=own.context())
                client.sendmail("x@voisin.mssante.fr", [citizen.address], letter())

        await mail.run(work)
        (told,) = await refused(mail, database)
        assert (told["sender_kind"], told["patient"]) == ("EXTERNAL", citizen.pseudonym)
        assert (told["reason"], told["told_by"]) == ("closed", "report")


class TestFrom:
    """Another sender than the mailbox that sends."""

    FORGED = letter(ROBERT_BOX).replace(KIT_BOX.encode(), b"someone.else@socle.mssante.fr")

    async def send(self, mail: Mail, content: bytes) -> tuple[int, bytes]:
        def work() -> tuple[int, bytes]:
            with mail.smtp() as client:
                client.mail(KIT_BOX)
                client.rcpt(ROBERT_BOX)
                return client.data(content)

        return await mail.run(work)

    async def test_is_taken_where_the_space_says_nothing(self, mail: Mail) -> None:
        code, text = await self.send(mail, self.FORGED)
        assert code == 250
        assert b"MSS-ORIGIN" not in text

    async def test_is_taken_with_a_warning(self, mail: Mail) -> None:
        await control(mail, "PUT", "/lint", {"from": "warn"})
        code, text = await self.send(mail, self.FORGED)
        assert code == 250
        assert b"MSS-ORIGIN only warned of" in text
        assert b"MSS-ORIGIN" not in (await self.send(mail, letter(ROBERT_BOX)))[1]

    @pytest.mark.parametrize("extra", [b"", b"From: Kit <" + KIT_BOX.encode() + b">\r\n"])
    async def test_is_refused_and_told(self, mail: Mail, database: Database, extra: bytes) -> None:
        await control(mail, "PUT", "/lint", {"from": "enforce"})
        code, text = await self.send(mail, extra + self.FORGED)
        assert (code, text[:5]) == (550, b"5.7.1")
        assert b"MSS-ORIGIN" in text
        (told,) = await refused(mail, database)
        assert (told["reason"], told["nil"]) == ("from_differs", "DEV935997")
        assert (await self.send(mail, letter(ROBERT_BOX)))[0] == 250

    async def test_policy_leaves_the_other_as_it_was(self, mail: Mail) -> None:
        await control(mail, "PUT", "/lint", {"from": "enforce"})
        await control(mail, "PUT", "/lint", {"mode": "off"})
        answer = await mail.http.get(f"/s/{mail.space}/_sandbox/mss/lint")
        assert answer.json() == {"mode": "off", "from": "enforce"}
